import Dispatch

extension Array where Element: Sendable {
    /// The elements' images, in their order, made on all processors.
    ///
    /// - Parameter slice: how many neighbours one thread maps in one go; no more than those are mapped on this thread alone.
    package func concurrentMap<Image: Sendable>(slice: Int = 256, _ transform: @Sendable (Element) -> Image) -> [Image] {
        guard count > slice else { return map(transform) }
        return [Image](unsafeUninitializedCapacity: count) { images, initialized in
            // Each place is written once, by the one iteration that has it.
            nonisolated(unsafe) let places = images
            DispatchQueue.concurrentPerform(iterations: (count + slice - 1) / slice) { index in
                for place in index * slice..<Swift.min((index + 1) * slice, count) {
                    places.initializeElement(at: place, to: transform(self[place]))
                }
            }
            initialized = count
        }
    }
}
