package import Catalog
import Databases
package import HTTPService
package import MediaLayout
package import Mounts
package import Platform
package import Settings
import Snapshots
package import SystemPackage
package import VerdaccioSettings

/// What the service answers from: the state of the connected side, opened once.
package struct APIContext: Sendable {
    package let state: FilePath
    package let catalog: Catalog
    package let settings: OnlineSettings
    /// Verdaccio's own configuration, where one is named.
    package let verdaccio: VerdaccioSettings?
    let media: MediaDesk
    package let clock: WallClock
    let lists: LineListCache

    /// - Parameters:
    ///   - state: the state directory, which exists.
    ///   - media: finds the media among what is mounted.
    ///   - mounts: what is mounted now.
    ///   - patience: how long a medium may take to answer.
    package init(
        state: FilePath, catalog: Catalog, settings: OnlineSettings, verdaccio: VerdaccioSettings?, media: MediaSurvey,
        mounts: @escaping @Sendable () throws -> MountTable = { try MountTable() }, patience: Duration = .seconds(5),
        clock: WallClock = .system
    ) {
        self.state = state
        self.catalog = catalog
        self.settings = settings
        self.verdaccio = verdaccio
        self.media = MediaDesk(survey: media, mounts: mounts, patience: patience)
        self.clock = clock
        lists = LineListCache(directory: state.appending("work"))
    }

    var snapshots: SnapshotStore { SnapshotStore(directory: state.appending("snapshots")) }
}

/// The operations of Ferry's interface.
package enum FerryAPI {
    /// What the service says of itself.
    package static func description(version: String) -> ServiceDescription {
        ServiceDescription(
            title: "Ferry", version: version,
            explanation: """
                The connected side of an npm registry that is carried across an air gap: what its storage holds, what was made of it, and \
                what is being done.

                Lists are pages: `items`, of `total`, from `offset`, at most `limit`. Moments are UTC, sizes are bytes. Every answer to \
                `GET` that is no stream has a strong `ETag`, and is `304` to a request whose `If-None-Match` names it. Files may be asked \
                for in part, by one range; several at once are answered with the whole. Query parameters that are unknown, repeated or out \
                of bounds are refused. What is refused, or fails, is answered with a problem document (RFC 9457), whose `type` is one of \
                those that the operation lists. There is no login: the service answers only under names that its settings allow, and changes \
                nothing for pages of other sites.
                """, problemBase: "urn:ferry:problem:")
    }

    /// What can be read of catalog and state; it changes neither.
    package static func reading(_ context: APIContext) -> [HTTPOperation] {
        packages(context) + snapshots(context) + artifacts(context) + storage(context)
    }

    /// The problem that an error of the catalog, or of a disk, stands for; `nil` for any other.
    package static func problem(of error: any Error) -> Problem? {
        switch error {
        case DatabaseFileError.locked:
            Problem(.busy, "another process keeps the catalog locked; nothing was changed", headers: [("Retry-After", "5")])
        case DatabaseFileError.noSpace, is FileSystemSpace.Full: Problem(.noSpace, "\(error)")
        case let error as DatabaseFileError: Problem(.catalogUnusable, "\(error)")
        case let error as FileSystemError where error.errno == .noSpace: Problem(.noSpace, "\(error); make room and ask again")
        default: nil
        }
    }

    /// The problems that whatever reads the catalog may have.
    static let commonProblems: [Problem.Kind] = [.catalogUnusable, .noSpace]
}

extension Problem.Kind {
    package static let catalogUnusable = Problem.Kind("catalog-unusable", 500, "The catalog cannot be used")
    package static let archiveGone = Problem.Kind("archive-gone", 410, "The archive is no longer there")
    package static let archiveDamaged = Problem.Kind("archive-damaged", 409, "The archive is damaged")
}
