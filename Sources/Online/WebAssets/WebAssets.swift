import Foundation
import PackagePlugin

/// Bundles the page of the module it is applied to, as a part of building that module.
@main struct WebAssets: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = target.directoryURL
        let source = context.pluginWorkDirectoryURL.appending(path: "BuiltFiles.swift")
        let script = folder.appending(path: "build.sh")
        var inputs = [script]
        let page = folder.appending(path: "app")
        for case let file as URL in FileManager.default.enumerator(at: page, includingPropertiesForKeys: nil) ?? .init() {
            inputs.append(file)
        }
        return [
            .buildCommand(
                displayName: "Bundling the page of \(target.name)", executable: URL(filePath: "/bin/sh"),
                arguments: [script.path(), source.path()], inputFiles: inputs, outputFiles: [source])
        ]
    }
}
