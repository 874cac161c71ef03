import Integrity
package import PackageStore
import Platform
package import SystemPackage

/// Makes Verdaccio fetch a tarball, and proves that what it keeps is what was published.
package struct TarballFetch: Sendable {
    package enum Outcome: Sendable {
        /// It is in storage and proved; `isUnproven` where the packument declares no digest.
        case kept(bytes: Int64, isUnproven: Bool)
        /// It is not in storage.
        case failed(TarballFault, Retry)
        case cancelled
    }

    private let registry: ProxyRegistry
    private let fetcher: HTTPFetcher
    private let keepTimeout: Duration

    /// - Parameters:
    ///   - fetcher: one that does not decompress.
    ///   - keepTimeout: how long Verdaccio may take to keep what it has served.
    package init(_ registry: ProxyRegistry, _ fetcher: HTTPFetcher, keepTimeout: Duration) {
        self.registry = registry
        self.fetcher = fetcher
        self.keepTimeout = keepTimeout
    }

    /// Asks for the tarball of a version that is not in storage, reads all of it and waits until it lies in the package's directory.
    ///
    /// What lies there then and is not what was published is removed again: Verdaccio would serve it for ever.
    package func fetch(_ declared: DeclaredVersion, of package: PackageName, into directory: FilePath) async -> Outcome {
        let file = directory.appending(declared.file.text)
        let measure = Measure(withSHA1: declared.needsSHA1)
        var errorText: [UInt8] = []
        do {
            let head = try await fetcher.stream("\(registry.url)/\(package)/-/\(declared.file)", headers: registry.headers) { piece in
                measure.add(piece)
                if errorText.count < 4096 { errorText += piece.prefix(4096 - errorText.count) }
            }
            guard head.status == 200 else { return refusal(head.status, String(decoding: errorText, as: UTF8.self)) }
        } catch {
            switch error {
            case .cancelled: return .cancelled
            case .unreachable(let reason): return failed(.verdaccioUnreachable, reason, .whenVerdaccioAnswers)
            case .cut, .stalled, .tooLarge, .useless:
                // Verdaccio keeps nothing of these; what lies there all the same must not stay unseen.
                if let outcome = settle(file, declared, isServedRight: false) { return outcome }
                return failed(.cut, error.description, .atOnce)
            }
        }
        let proof = measure.finish()
        if proof.size == 0 { return failed(.empty, "upstream answered without bytes; verdaccio keeps no empty file", .atOnce) }
        let isMatching = measure.judge(by: declared)
        let start = ContinuousClock.now
        while true {
            if isMatching == false {
                if let outcome = settle(file, declared, isServedRight: false) { return outcome }
            } else if let size = try? DiskFileSystem().status(of: file)?.identity.size {
                if size == proof.size { return .kept(bytes: proof.size, isUnproven: isMatching == nil) }
                if let outcome = settle(file, declared, isServedRight: true) { return outcome }
            }
            guard ContinuousClock.now - start < keepTimeout, (try? await Task.sleep(for: .milliseconds(2))) != nil else { break }
        }
        if Task.isCancelled { return .cancelled }
        if isMatching == false { return failed(.mismatch, Self.mismatch(proof), .atOnce) }
        return failed(.notKept, "verdaccio served it and did not keep it; is its disk full, or its uplink's cache off?", .atOnce)
    }

    private func failed(_ code: TarballFault.Code, _ message: String, _ retry: Retry) -> Outcome {
        .failed(TarballFault(code, message), retry)
    }

    private static func mismatch(_ proof: TarballProof) -> String {
        "the bytes are not those that were published (\(proof.size) bytes, sha512 \(proof.sha512.hex.prefix(16))…)"
    }

    /// What Verdaccio answered instead of a tarball.
    private func refusal(_ status: Int, _ text: String) -> Outcome {
        switch status {
        case 401, 403: failed(.accessDenied, "verdaccio answers \(status); it wants a token", .never)
        case 400: failed(.nameRefused, "verdaccio serves no file of that name", .never)
        case 404 where text.contains("doesn't exist on uplink"): failed(.gone, "upstream has it no more", .never)
        case 404: failed(.gone, "verdaccio does not have it, and no address to fetch it from: \(verdaccioMessage(text))", .never)
        case 500... where text.contains("uplink is offline"):
            failed(.uplinkOffline, "verdaccio takes its uplink for offline", .whenUplinkIsBack)
        case 500... where text.contains("bad uplink status code"): failed(.upstreamFault, verdaccioMessage(text), .atOnce)
        default: failed(.verdaccioError, "verdaccio answers \(status): \(verdaccioMessage(text))", .atOnce)
        }
    }

    /// Judges the file that is in storage and removes a wrong one; `nil` where there is none.
    private func settle(_ file: FilePath, _ declared: DeclaredVersion, isServedRight: Bool) -> Outcome? {
        do throws(FileSystemError) {
            guard let reader = try FileReader(opening: file) else { return nil }
            let identity = try reader.status().identity
            let measure = Measure(withSHA1: declared.needsSHA1)
            var offset: Int64 = 0
            while true {
                let piece = try reader.read(1 << 20, at: offset)
                if piece.isEmpty { break }
                piece.withUnsafeBytes { measure.add($0) }
                offset += Int64(piece.count)
            }
            let proof = measure.finish()
            let isMatching = measure.judge(by: declared)
            guard isMatching == false else { return .kept(bytes: proof.size, isUnproven: isMatching == nil) }
            if try DiskFileSystem().status(of: file)?.identity == identity { _ = try DiskFileSystem().remove(file) }
            if isServedRight {
                let message = "verdaccio served it and kept something else, which was removed; is its disk full?"
                return failed(.notKept, message, .atOnce)
            }
            return failed(.mismatch, "\(Self.mismatch(proof)); verdaccio's copy was removed", .atOnce)
        } catch {
            return failed(.notKept, error.description, .never)
        }
    }

    /// Digests and counts bytes.
    private final class Measure {
        private let sha512 = SHA512Hasher()
        private let sha1: SHA1Hasher?
        private var size: Int64 = 0
        private var start: [UInt8] = []
        private var proof: TarballProof?

        init(withSHA1: Bool) { sha1 = withSHA1 ? SHA1Hasher() : nil }

        func add(_ piece: UnsafeRawBufferPointer) {
            sha512.update(piece)
            sha1?.update(piece)
            size += Int64(piece.count)
            if start.count < 2 { start += piece.prefix(2 - start.count) }
        }

        /// To be called once, when there are no more bytes.
        func finish() -> TarballProof {
            let proof = TarballProof(sha512: sha512.finalize(), sha1: sha1?.finalize(), size: size)
            self.proof = proof
            return proof
        }

        /// Whether the bytes are those that were published; `nil` where nothing is declared, and they begin as gzip does.
        func judge(by declared: DeclaredVersion) -> Bool? {
            guard let proof else { return nil }
            return declared.matches(proof) ?? (start == [0x1F, 0x8B] ? nil : false)
        }
    }
}
