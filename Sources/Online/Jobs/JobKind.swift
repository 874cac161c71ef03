/// What a job does.
///
/// The raw values are the words used in JSON, settings and the database and never change their meaning.
package enum JobKind: String, Sendable, Hashable, CaseIterable {
    case fullRefresh = "full_cache_refresh"
    case deltaRefresh = "delta_refresh"
    case scan = "metadata_scan"
    case check = "broken_scan"
    case repair = "broken_repair"
    case snapshot
    case diffBuild = "diff_build"
    case export
    case retention

    /// What its parameters may be.
    package var parameters: [JobParameter] {
        switch self {
        case .fullRefresh: JobParameter.refresh
        case .deltaRefresh: [.minutes] + JobParameter.refresh
        case .scan: [.allowEmpty]
        case .check: [.everything, .threads, .repair]
        case .repair: [.packages, .repairs, .dryRun]
        case .snapshot: [.allowShrink]
        case .diffBuild: [.baseline, .target, .destination, .request, .unsigned, .allowUnsettled, .allowShrink, .unlessEmpty, .dryRun]
        case .export: [.artifact, .medium, .mediumID, .volumeSize, .spread, .eject]
        case .retention: [.dryRun]
        }
    }

    /// The words of `ferry-online` that run it.
    package var command: [String] {
        switch self {
        case .fullRefresh: ["refresh", "full"]
        case .deltaRefresh: ["refresh", "delta"]
        case .scan: ["scan"]
        case .check: ["check"]
        case .repair: ["repair"]
        case .snapshot: ["snapshot"]
        case .diffBuild: ["bundle"]
        case .export: ["export"]
        case .retention: ["prune"]
        }
    }

    /// Whether it works on storage or state such that no other such job may run: all but exports, which read what is finished.
    package var isExclusive: Bool { self != .export }

    /// Whether it is begun again after it was interrupted; a person has to see to the medium of an export.
    package var isResumable: Bool { self != .export }
}
