import Foundation
import PackagePlugin

/// Tells the module it is applied to which commit it is built from.
///
/// The script is run before every build and touches its file only where the answer is another one, so nothing is built again for it.
@main struct CommitStamp: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let sources = context.pluginWorkDirectoryURL.appending(path: "sources")
        return [
            .prebuildCommand(
                displayName: "Asking for the commit of \(target.name)", executable: URL(filePath: "/bin/sh"),
                arguments: [
                    target.directoryURL.appending(path: "commit.sh").path(), context.package.directoryURL.path(),
                    sources.appending(path: "BuiltCommit.swift").path(),
                ], outputFilesDirectory: sources)
        ]
    }
}
