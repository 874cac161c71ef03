import Platform
import Synchronization
import SystemPackage

/// What a power cut may do to whatever was not synced.
enum PowerCut: CaseIterable, Sendable {
    /// Names and bytes are as they were at the last sync.
    case losesAll
    /// As `losesAll`, but what was removed stays removed: a file system may write a removal before what was done before it.
    case keepsRemovals
    /// What is new is lost, but what was replaced or removed is so: a file system may write what is done last first, in one directory, too.
    case losesNew
    /// Names are new, the bytes behind them are gone.
    case keepsNames
    /// Names are new, of the bytes behind them a half was written.
    case tearsWrites

    /// Whether names are lost, but for those that it keeps.
    var losesNames: Bool { self == .losesAll || self == .keepsRemovals || self == .losesNew }

    /// Whether a change of a name stands that was not synced.
    func keeps(_ change: NameChange) -> Bool {
        switch change.kind {
        case .made, .renamed(_, nil): false
        case .removed: self == .keepsRemovals || self == .losesNew
        case .renamed(_, _?), .left: self == .losesNew
        }
    }
}

/// The machine's file system until its n-th step, from which on every step fails; then the power is cut.
///
/// Files that are replaced or removed are kept aside until that is durable, so that a cut brings back the very same inodes.
final class PowerCutFileSystem: FileSystem {
    private struct State {
        var stepsLeft: Int
        var names: [NameChange] = []
        var unsyncedBytes: Set<FilePath> = []
        var kept = 0
        var wasStageSynced: Bool
    }

    private let disk = DiskFileSystem()
    private let aside: FilePath
    private let state: Mutex<State>

    /// - Parameters:
    ///   - aside: a directory on the same file system, for what is replaced or removed.
    ///   - hasStage: whether bundles are unpacked past this seam meanwhile.
    init(stepsUntilCut: Int, aside: FilePath, hasStage: Bool = true) throws {
        self.aside = aside
        state = Mutex(State(stepsLeft: stepsUntilCut, wasStageSynced: !hasStage))
        try disk.createDirectories(aside)
    }

    /// Cuts the power: what was not synced is lost in that way.
    ///
    /// - Parameter isLost: whether changes of names in a directory are lost; a file system may write some back before others.
    func cut(_ cut: PowerCut, stageIn storage: FilePath, losingNamesIn isLost: (FilePath) -> Bool = { _ in true }) throws {
        try state.withLock { state in
            for path in state.unsyncedBytes where try disk.status(of: path)?.kind == .file {
                let bytes = try disk.contents(of: path, limit: 1 << 24) ?? []
                try disk.write(cut == .tearsWrites ? Array(bytes.prefix(bytes.count / 2)) : [], to: path)
            }
            if cut.losesNames {
                while let change = state.names.popLast() {
                    guard isLost(change.directory) else { continue }
                    if cut.keeps(change) { continue }
                    // What was changed in a directory that is durably gone is lost with it.
                    guard try disk.status(of: change.directory) != nil else { continue }
                    do { try change.undo(on: disk) } catch is FileSystemError where cut != .losesAll {
                        // What it would go back to, or it itself, was removed since.
                        continue
                    }
                    guard case .renamed(let from, _) = change.kind else { continue }
                    for index in state.names.indices { state.names[index].follow(change.path, to: from) }
                }
            }
            // The stage is written past this seam and is durable with the first sync of its file system.
            if !state.wasStageSynced { try tearStage(storage) }
        }
    }

    private func tearStage(_ storage: FilePath) throws {
        for name in try disk.names(in: storage) ?? [] where name.hasPrefix(".ferry-stage-") { try tear(storage.appending(name)) }
    }

    private func tear(_ path: FilePath) throws {
        if let names = try disk.names(in: path) {
            for name in names {
                let inner = path.appending(name)
                if try disk.status(of: inner)?.kind == .directory { try tear(inner) } else { try disk.write([], to: inner) }
            }
        }
    }

    private func step(_ path: FilePath) throws(FileSystemError) {
        let isOver = state.withLock { state in
            state.stepsLeft -= 1
            return state.stepsLeft < 0
        }
        if isOver { throw FileSystemError("go on after the power cut at", path, .ioError) }
    }

    private func note(_ path: FilePath, _ kind: NameChange.Kind) {
        state.withLock { $0.names.append(NameChange(path, kind)) }
    }

    /// Gives what stands at a path a second name aside; `nil` where no file does.
    private func keep(_ path: FilePath) throws(FileSystemError) -> FilePath? {
        guard try disk.status(of: path)?.kind == .file else { return nil }
        let number = state.withLock { state in
            state.kept += 1
            return state.kept
        }
        let kept = aside.appending("\(number)")
        _ = try disk.link(path, to: kept)
        return kept
    }

    func status(of path: FilePath) throws(FileSystemError) -> FileStatus? { try disk.status(of: path) }
    func contents(of path: FilePath, limit: Int) throws(FileSystemError) -> [UInt8]? { try disk.contents(of: path, limit: limit) }
    func names(in directory: FilePath) throws(FileSystemError) -> [String]? { try disk.names(in: directory) }

    func createDirectory(_ path: FilePath) throws(FileSystemError) -> Bool {
        try step(path)
        guard try disk.createDirectory(path) else { return false }
        note(path, .made)
        return true
    }

    func createExclusively(_ path: FilePath) throws(FileSystemError) -> FileIdentity? {
        try step(path)
        guard let identity = try disk.createExclusively(path) else { return nil }
        note(path, .made)
        return identity
    }

    func write(_ bytes: [UInt8], to path: FilePath) throws(FileSystemError) {
        try step(path)
        let isNew = try disk.status(of: path) == nil
        try disk.write(bytes, to: path)
        state.withLock { _ = $0.unsyncedBytes.insert(path) }
        if isNew { note(path, .made) }
    }

    func append(_ bytes: UnsafeRawBufferPointer, to path: FilePath) throws(FileSystemError) {
        try step(path)
        try disk.append(bytes, to: path)
        state.withLock { _ = $0.unsyncedBytes.insert(path) }
    }

    func truncate(_ path: FilePath, to size: Int64) throws(FileSystemError) {
        try step(path)
        try disk.truncate(path, to: size)
        state.withLock { _ = $0.unsyncedBytes.insert(path) }
    }

    func sync(_ path: FilePath) throws(FileSystemError) {
        try step(path)
        state.withLock { _ = $0.unsyncedBytes.remove(path) }
    }

    func syncDirectory(_ path: FilePath) throws(FileSystemError) {
        try step(path)
        state.withLock { state in
            state.names = state.names.compactMap { change in
                guard change.directory == path else { return change }
                guard case .renamed(let from, _) = change.kind, from.parent != path else { return nil }
                return NameChange(from, .left(for: change.path))
            }
        }
    }

    func syncFileSystem(holding path: FilePath) throws(FileSystemError) {
        try step(path)
        state.withLock { state in
            state.names = []
            state.unsyncedBytes = []
            state.wasStageSynced = true
        }
    }

    func rename(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) {
        try step(path)
        let kept = try keep(newPath)
        try disk.rename(path, to: newPath)
        noteRename(path, newPath, kept)
    }

    func renameWithoutReplacing(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool {
        try step(path)
        guard try disk.renameWithoutReplacing(path, to: newPath) else { return false }
        noteRename(path, newPath, nil)
        return true
    }

    private func noteRename(_ path: FilePath, _ newPath: FilePath, _ kept: FilePath?) {
        let names = try? disk.names(in: newPath)
        state.withLock { state in
            state.unsyncedBytes.remove(newPath)
            state.unsyncedBytes = Set(state.unsyncedBytes.map { $0.following(path, to: newPath) })
            if !state.wasStageSynced, path.string.contains("/.ferry-stage-") {
                state.unsyncedBytes.formUnion([newPath] + (names ?? []).map { newPath.appending($0) })
            }
            // Nothing lies in a file that could go with it.
            for index in state.names.indices where names != nil || state.names[index].isLeft {
                state.names[index].follow(path, to: newPath)
            }
        }
        note(newPath, .renamed(from: path, kept: kept))
    }

    func link(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool {
        try step(path)
        guard try disk.link(path, to: newPath) else { return false }
        note(newPath, .made)
        return true
    }

    func remove(_ path: FilePath) throws(FileSystemError) -> Bool {
        try step(path)
        let isDirectory = try disk.status(of: path)?.kind == .directory
        let kept = try keep(path)
        guard try disk.remove(path) else { return false }
        if isDirectory || kept != nil { note(path, .removed(kept: kept)) }
        return true
    }

    func setAttributes(of path: FilePath, owner: UInt32, group: UInt32, mode: UInt32) throws(FileSystemError) {
        try disk.setAttributes(of: path, owner: owner, group: group, mode: mode)
    }
}
