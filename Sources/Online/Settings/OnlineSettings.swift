package import Resolution
package import Scheduling
package import SystemPackage
package import VerdaccioSettings

/// What the connected side goes by: flags, else the environment, else `ferry.yaml`, else defaults.
package struct OnlineSettings: Sendable {
    /// A key that a flag of the command sets.
    package struct Flag: Sendable {
        /// Such as `verdaccio.config`.
        package let key: String
        /// The flag with its dashes.
        package let name: String
        /// Empty where it was not given.
        package let values: [String]

        package init(_ key: String, _ name: String, _ values: [String]) {
            self.key = key
            self.name = name
            self.values = values
        }

        package init(_ key: String, _ name: String, _ value: String?) { self.init(key, name, value.map { [$0] } ?? []) }
    }

    /// A level of filling that is warned of; it is passed where one of these is.
    package struct SpaceLevel: Sendable, Hashable {
        /// Less than this part of the bytes, or of the files, that a file system holds is free.
        package var freePercent: Double?
        /// Fewer bytes are free.
        package var freeBytes: Int64?
        /// The file system is full in fewer days, if it goes on as it did.
        package var daysLeft: Int?

        package init(freePercent: Double? = nil, freeBytes: Int64? = nil, daysLeft: Int? = nil) {
            self.freePercent = freePercent
            self.freeBytes = freeBytes
            self.daysLeft = daysLeft
        }
    }

    /// How much of something is kept; what passes one of these may go, the oldest first.
    package struct RetentionLimits: Sendable, Hashable {
        /// How many.
        package var count: Int?
        /// How old, in seconds.
        package var age: Int64?
        /// How many bytes together.
        package var size: Int64?

        package init(count: Int? = nil, age: Int64? = nil, size: Int64? = nil) {
            self.count = count
            self.age = age
            self.size = size
        }
    }

    /// The file that was read.
    package let file: FilePath?
    package let state: Setting<FilePath?>
    /// Verdaccio's storage directory, where one is named; see `storage(_:)`.
    package let storage: Setting<FilePath?>
    /// Verdaccio's `config.yaml`.
    package let verdaccioConfig: Setting<FilePath?>
    /// Verdaccio's address; see `registry(_:)`.
    package let registry: Setting<String>
    /// What Verdaccio fetches from, where its configuration is not named.
    package let upstream: Setting<String?>
    /// The machines that packages are installed on.
    package let platforms: Setting<[TargetPlatform]>
    package let warning: SpaceLevel
    package let critical: SpaceLevel
    package let snapshots: RetentionLimits
    package let artifacts: RetentionLimits
    package let logs: RetentionLimits
    /// Below which everything that is mounted is a medium, beside what can be pulled out.
    package let mediaRoots: Setting<[FilePath]>
    /// What the server does with bundles that are to travel when a medium of ours is plugged in.
    package let mediaExport: Setting<MediaExport>
    /// Whether an export may remove bundles from a medium that is short of room.
    package let mediaRemoval: Setting<MediaRemoval>
    package let service: ServiceSettings
    /// Every key there is, in the order of the example.
    package let entries: [SettingEntry]

    /// Reads every key.
    ///
    /// - Parameter zone: that of the machine's clock, by which schedules go where nobody says otherwise.
    /// - Throws: `SettingsError` with all that is wrong.
    package init(
        file: SettingsFile?, environment: @escaping (String) -> String?, flags: [Flag] = [], zone: ScheduleZone = .ofMachine()
    ) throws(SettingsError) {
        var reader = SettingsReader(file: file, environment: environment, flags: flags)
        self.file = file?.path
        state = reader.take("state", .path, default: nil, variable: "FERRY_ONLINE_STATE")
        storage = reader.take("storage", .path, default: nil)
        verdaccioConfig = reader.take("verdaccio.config", .path, default: nil)
        registry = reader.take("verdaccio.registry", .url, default: "http://localhost:4873", variable: "FERRY_REGISTRY")
        upstream = reader.take("verdaccio.upstream", .url, unless: "none", default: nil)
        platforms = reader.take("platforms", .platforms, default: [.current])
        warning = reader.level("space.warning", SpaceLevel(freePercent: 10, freeBytes: 10 << 30, daysLeft: 30))
        critical = reader.level("space.critical", SpaceLevel(freePercent: 3, freeBytes: 2 << 30, daysLeft: 7))
        snapshots = reader.limits("retention.snapshots", RetentionLimits())
        artifacts = reader.limits("retention.artifacts", RetentionLimits())
        logs = reader.limits("retention.logs", RetentionLimits(age: 90 * 86_400, size: 1 << 30))
        mediaRoots = reader.take("media.roots", .paths, default: ["/media", "/run/media", "/mnt"])
        mediaExport = reader.take("media.export", .mediaExport, default: .ask)
        mediaRemoval = reader.take("media.remove", .mediaRemoval, default: .acknowledged)
        service = ServiceSettings(&reader, zone: zone)
        reader.refuseLevels(warning, critical)
        try reader.finish()
        entries = reader.entries
    }

    /// Verdaccio's own configuration, where one is named.
    ///
    /// - Throws: `SettingsError` naming where it was named; `FileSystemError`.
    package func verdaccio(_ environment: (String) -> String?) throws -> VerdaccioSettings? {
        guard let path = verdaccioConfig.value else { return nil }
        do {
            return try VerdaccioSettings(contentsOf: path, environmentStoragePath: environment("VERDACCIO_STORAGE_PATH"))
        } catch let error as VerdaccioSettingsError {
            throw SettingsError([SettingsProblem(source: verdaccioConfig.source, words: "verdaccio.config: \(error)")])
        }
    }

    /// Verdaccio's storage directory.
    ///
    /// What Verdaccio's configuration says counts as much as the place that names the configuration, and less than the directory where
    /// both are named there.
    package func storage(_ verdaccio: VerdaccioSettings?) -> Setting<FilePath?> {
        guard let verdaccio, let path = verdaccioConfig.value else { return storage }
        guard storage.value == nil || storage.source.rank < verdaccioConfig.source.rank else { return storage }
        return Setting(value: verdaccio.storage, source: .verdaccio(path))
    }

    /// Verdaccio's address: where it listens, unless that is said.
    package func registry(_ verdaccio: VerdaccioSettings?) -> Setting<String> {
        guard registry.source == .builtIn, let path = verdaccioConfig.value, let url = verdaccio?.url else { return registry }
        return Setting(value: url, source: .verdaccio(path))
    }
}

extension OnlineSettings {
    /// Every key with its value, and with what Verdaccio's configuration adds.
    package func entries(_ verdaccio: VerdaccioSettings?) -> [SettingEntry] {
        let (storage, registry) = (storage(verdaccio), registry(verdaccio))
        return entries.map { entry in
            switch entry.key {
            case "storage": entry.with(storage.value?.string, storage.source)
            case "verdaccio.registry": entry.with(registry.value, registry.source)
            default: entry
            }
        }
    }
}

extension SettingEntry {
    fileprivate func with(_ value: String?, _ source: SettingSource) -> SettingEntry {
        SettingEntry(key: key, values: value.map { [$0] }, isList: isList, form: form, source: source, variable: variable)
    }
}

extension SettingsReader {
    fileprivate mutating func level(_ key: String, _ absent: OnlineSettings.SpaceLevel) -> OnlineSettings.SpaceLevel {
        OnlineSettings.SpaceLevel(
            freePercent: take("\(key).free-percent", .percent, unless: "off", default: absent.freePercent).value,
            freeBytes: take("\(key).free", .size, unless: "off", default: absent.freeBytes).value,
            daysLeft: take("\(key).days-left", .count(in: 1...3650), unless: "off", default: absent.daysLeft).value)
    }

    fileprivate mutating func limits(_ key: String, _ absent: OnlineSettings.RetentionLimits) -> OnlineSettings.RetentionLimits {
        OnlineSettings.RetentionLimits(
            count: take("\(key).count", .count(in: 1...1_000_000), unless: "unlimited", default: absent.count).value,
            age: take("\(key).age", .age, unless: "unlimited", default: absent.age).value,
            size: take("\(key).size", .size, unless: "unlimited", default: absent.size).value)
    }

    /// A critical level that is passed before the one that warns would never be warned of.
    fileprivate mutating func refuseLevels(_ warning: OnlineSettings.SpaceLevel, _ critical: OnlineSettings.SpaceLevel) {
        func isAbove<Value: Comparable>(_ left: Value?, _ right: Value?) -> Bool {
            if let left, let right { left > right } else { false }
        }
        let pairs = [
            ("free-percent", isAbove(critical.freePercent, warning.freePercent)),
            ("free", isAbove(critical.freeBytes, warning.freeBytes)), ("days-left", isAbove(critical.daysLeft, warning.daysLeft)),
        ]
        for (name, isWrong) in pairs where isWrong {
            let sources = ["critical", "warning"].compactMap { level in entries.first { $0.key == "space.\(level).\(name)" }?.source }
            guard let source = sources.max(by: { $0.rank < $1.rank }) else { continue }
            complain(source, "space.critical.\(name): must not be above space.warning.\(name)")
        }
    }
}

extension SettingKind where Value == [TargetPlatform] {
    fileprivate static var platforms: SettingKind {
        SettingKind(
            form: "a list of platforms, such as `linux-x64` or `linux-arm64-musl`",
            read: { texts, _ throws(SettingComplaint) in
                guard !texts.isEmpty else { throw SettingComplaint(words: "names no platform") }
                var platforms: [TargetPlatform] = []
                for (index, text) in texts.enumerated() {
                    guard let platform = TargetPlatform(text) else {
                        throw SettingComplaint(
                            words: "\"\(text)\" is not a platform: write OS-CPU, such as linux-x64, or linux-x64-musl", element: index)
                    }
                    platforms.append(platform)
                }
                return platforms
            }, write: { $0.map(\.description) }, isList: true)
    }
}
