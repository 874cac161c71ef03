package import Platform
package import Settings
import Terminal

/// Whether a file system has room enough.
package struct SpaceVerdict: Sendable, Hashable {
    /// How bad it is.
    package enum Level: String, Sendable, Hashable, Comparable {
        case ok, warning, critical

        package static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .ok: 0
            case .warning: 1
            case .critical: 2
            }
        }
    }

    package let level: Level
    /// What passed that level, each a phrase with its numbers; none where all is well.
    package let reasons: [String]

    /// Judges a file system by the worse of two levels that it passes.
    package init(
        _ space: FileSystemSpace, _ forecast: SpaceForecast, warning: OnlineSettings.SpaceLevel, critical: OnlineSettings.SpaceLevel
    ) {
        let levels = [(Level.critical, critical), (Level.warning, warning)]
        for (level, limits) in levels {
            let reasons = limits.reasons(space, forecast)
            guard reasons.isEmpty else {
                self.level = level
                self.reasons = reasons
                return
            }
        }
        level = .ok
        reasons = []
    }
}

extension OnlineSettings.SpaceLevel {
    fileprivate func reasons(_ space: FileSystemSpace, _ forecast: SpaceForecast) -> [String] {
        var reasons: [String] = []
        if let freePercent, space.freePercent < freePercent {
            reasons.append("\(rounded(space.freePercent)) % is free, less than \(rounded(freePercent)) %")
        }
        if let freeBytes, space.freeBytes < freeBytes {
            reasons.append("\(Terminal.bytes(space.freeBytes)) are free, less than \(Terminal.bytes(freeBytes))")
        }
        if let freePercent, let part = space.freeFilesPercent, part < freePercent {
            reasons.append("\(rounded(part)) % of its inodes are free, less than \(rounded(freePercent)) %")
        }
        if let daysLeft, let days = forecast.days, days < Double(daysLeft) {
            reasons.append("\(forecast), less than \(daysLeft) days")
        }
        return reasons
    }

    private func rounded(_ percent: Double) -> String {
        let tenths = (percent * 10).rounded(.down) / 10
        return tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)"
    }
}
