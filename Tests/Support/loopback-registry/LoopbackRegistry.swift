import ArgumentParser
import AsyncHTTPClient
import Foundation
import Hummingbird
import Logging
import NIOCore
import SystemPackage
import VerdaccioSettings

/// A stand-in for Verdaccio over a storage directory, for the demo and the tests, where the real server cannot be had.
///
/// It behaves like Verdaccio 5 and 6 where their behaviour was measured, and takes the same configuration and the same two options.
/// What it promises is what `Tests/Contract` checks of it and of the real server alike.
@main
struct LoopbackRegistry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loopback-registry", abstract: "Serves a Verdaccio storage on this machine, for tests and the demo.")

    @Option(name: .shortAndLong, help: "Verdaccio's config.yaml.")
    var config: String

    @Option(name: .shortAndLong, help: "Address and port; port 0 takes a free one.")
    var listen = "127.0.0.1:4873"

    func run() async throws {
        let settings: VerdaccioSettings
        do { settings = try VerdaccioSettings(contentsOf: FilePath(config), environmentStoragePath: nil) } catch {
            throw ValidationError("\(error)")
        }
        let parts = listen.split(separator: ":")
        guard parts.count == 2, let port = Int(parts[1]) else { throw ValidationError("\"\(listen)\" is no address and port") }
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: Self.clientConfiguration)
        var logger = Logger(label: "loopback-registry")
        logger.logLevel = .critical
        let host = String(parts[0])
        let application = Application(
            responder: RegistryResponder(registry: Registry(settings, client: client)),
            configuration: .init(address: .hostname(host, port: port)),
            onServerRunning: { channel in
                print("http address - http://\(host):\(channel.localAddress?.port ?? port)/")
                fflush(nil)
            },
            logger: logger)
        do { try await application.runService() } catch {
            try await client.shutdown()
            throw ValidationError("cannot listen on \(listen): \(error)")
        }
        try await client.shutdown()
    }

    private static var clientConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .follow(max: 5, allowCycles: false))
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }
}
