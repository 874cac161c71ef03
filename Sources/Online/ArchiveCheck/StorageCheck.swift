package import Catalog
package import PackageStore
package import Platform
import SystemPackage

/// Proves every tarball in storage that was not proved since it was last touched.
///
/// It works from what the last scan has put into the catalog: a file that has changed since is left for the next one. What was proved is
/// kept as it goes, so that an interrupted check goes on where it was.
package struct StorageCheck: Sendable {
    /// What a check came to.
    package struct Report: Sendable {
        /// Tarballs that were read.
        package var checked = 0
        /// Their bytes.
        package var bytes: Int64 = 0
        /// What they inflate to.
        package var inflatedBytes: Int64 = 0
        /// Tarballs that changed or vanished under the check, and are left for the next.
        package var passed = 0
        /// Tarballs that were proved before and were not read again.
        package var skipped = 0
        /// What is what its publisher put up, and npm can make no package of all the same.
        package var notes: [Finding] = []
        /// What could not be read.
        package var unreadable: [Finding] = []
        /// All that is damaged in storage now, and what repairs have taken away.
        package var broken: [BrokenArchive] = []
        package var isCancelled = false
    }

    /// How far a check is.
    package struct Progress: Sendable {
        package let bytes: Int64
        package let totalBytes: Int64
        package let tarballs: Int
        package let totalTarballs: Int
        /// Of this check.
        package let damaged: Int
    }

    private let layout: StorageLayout
    private let catalog: Catalog
    private let clock: WallClock
    private let progress: @Sendable (Progress) -> Void

    /// Files that are handed to a thread at once, and their bytes.
    private static let batch = (files: 64, bytes: Int64(8 << 20))
    private static let page = 512
    private static let transaction = 1024

    /// - Parameters:
    ///   - layout: with where its packages were found.
    ///   - progress: told after every batch.
    package init(
        layout: StorageLayout, catalog: Catalog, clock: WallClock = .system, progress: @escaping @Sendable (Progress) -> Void = { _ in }
    ) {
        self.layout = layout
        self.catalog = catalog
        self.clock = clock
        self.progress = progress
    }

    /// Checks; a cancelled task ends it after the batches under way.
    ///
    /// - Parameters:
    ///   - all: also what was proved before.
    ///   - width: threads that read.
    /// - Throws: `DatabaseFileError`; what was kept by then stays.
    package func run(all: Bool = false, width: Int = 2) throws -> Report {
        let work = try catalog.checkWork(all: all)
        var report = Report()
        report.skipped = try catalog.checkWork(all: true).tarballs - work.tarballs
        let (catalog, layout, inspector) = (self.catalog, self.layout, TarballInspector())
        var cursor = CheckCursor.start
        var page: ArraySlice<CheckCandidate> = []
        let pipeline = OrderedPipeline<[CheckCandidate], [(CheckCandidate, TarballInspector.Outcome)]>(
            width: width, window: width * 4,
            pull: {
                guard !Task.isCancelled else { return nil }
                if page.isEmpty {
                    page = try catalog.checkCandidates(after: cursor, all: all, limit: Self.page)[...]
                    guard let last = page.last else { return nil }
                    cursor = last.cursor
                }
                var batch: [CheckCandidate] = []
                var bytes: Int64 = 0
                while let candidate = page.first, batch.count < Self.batch.files, bytes < Self.batch.bytes {
                    batch.append(candidate)
                    bytes += candidate.identity.size
                    page.removeFirst()
                }
                return batch
            },
            transform: { batch in
                let jobs = batch.map { candidate in
                    TarballInspector.Job(
                        path: layout.directory(of: candidate.path.package).appending(candidate.path.file.text),
                        declared: candidate.declared)
                }
                return Array(zip(batch, inspector.inspect(jobs)))
            })
        var results: [CheckResult] = []
        var damaged = 0
        while let outcomes = try pipeline.next() {
            for (candidate, outcome) in outcomes {
                guard let result = take(outcome, of: candidate, &report) else { continue }
                if result.damage != nil { damaged += 1 }
                results.append(result)
            }
            if results.count >= Self.transaction {
                try catalog.keep(results, at: clock.now())
                results = []
            }
            progress(
                Progress(
                    bytes: report.bytes, totalBytes: work.bytes, tarballs: report.checked, totalTarballs: work.tarballs, damaged: damaged))
        }
        try catalog.keep(results, at: clock.now())
        try catalog.keepUnnamed(at: clock.now())
        report.broken = try catalog.brokenArchives()
        report.isCancelled = Task.isCancelled
        return report
    }

    /// - Returns: `nil` where nothing was learnt of the tarball that the candidate is.
    private func take(_ outcome: TarballInspector.Outcome, of candidate: CheckCandidate, _ report: inout Report) -> CheckResult? {
        let subject = candidate.path.description
        switch outcome {
        case .judged(let verdict):
            guard verdict.identity == candidate.identity else {
                report.passed += 1
                return nil
            }
            report.checked += 1
            report.bytes += verdict.proof.size
            report.inflatedBytes += verdict.inflatedBytes
            if let note = verdict.note {
                report.notes.append(Finding(.tarballOdd, subject, "it was published so, and npm cannot unpack it: \(note.words)"))
            }
            return CheckResult(candidate: candidate, proof: verdict.proof, damage: verdict.damage, note: verdict.note?.words)
        case .changed, .vanished: report.passed += 1
        case .unreadable(let error): report.unreadable.append(Finding(.unreadable, subject, error.description))
        }
        return nil
    }
}
