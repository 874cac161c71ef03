// swift-tools-version: 6.2
import PackageDescription

// Top to bottom is the direction the data flows. A target depends only on targets above it, Shared sees neither side, and the
// sides never see each other: Tests/Architecture holds these lines, because SwiftPM does not.

let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTPCompression = Target.Dependency.product(name: "NIOHTTPCompression", package: "swift-nio-extras")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let asyncAlgorithms = Target.Dependency.product(name: "AsyncAlgorithms", package: "swift-async-algorithms")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")

func systemLibrary(_ name: String, pkgConfig: String, package: String) -> Target {
    .systemLibrary(
        name: name,
        path: "Sources/Shared/SystemLibraries/\(name)",
        pkgConfig: pkgConfig,
        providers: [.apt([package])])
}

func cTarget(_ name: String) -> Target {
    .target(
        name: name,
        path: "Sources/Shared/\(name)",
        cSettings: [.define("_GNU_SOURCE"), .treatAllWarnings(as: .error), .enableWarning("all"), .unsafeFlags(["-O2"])])
}

func module(_ side: String, _ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(side)/\(name)")
}

func program(_ side: String, _ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: "Sources/\(side)/\(name)")
}

func tests(_ path: String, _ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(path)")
}

let package = Package(
    name: "ferry",
    products: [
        .executable(name: "ferry-online", targets: ["ferry-online"]),
        .executable(name: "ferry-offline", targets: ["ferry-offline"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.100.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.24.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.10.0"),
        .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.1.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.9.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        // Shared
        systemLibrary("CCrypto", pkgConfig: "libcrypto", package: "libssl-dev"),
        systemLibrary("CSodium", pkgConfig: "libsodium", package: "libsodium-dev"),
        systemLibrary("CZstd", pkgConfig: "libzstd", package: "libzstd-dev"),
        systemLibrary("CArchive", pkgConfig: "libarchive", package: "libarchive-dev"),
        systemLibrary("CISAL", pkgConfig: "libisal", package: "libisal-dev"),
        cTarget("CPlatform"),
        cTarget("CSHA512Lanes"),
        module("Shared", "Platform", ["CPlatform", systemPackage]),
        module("Shared", "Mounts", ["Platform", systemPackage]),
        module("Shared", "Terminal", []),
        .plugin(name: "CommitStamp", capability: .buildTool(), path: "Sources/Shared/CommitStamp"),
        .target(name: "Provenance", path: "Sources/Shared/Provenance", exclude: ["commit.sh"], plugins: ["CommitStamp"]),
        module("Shared", "CanonicalJSON", []),
        module("Shared", "YAML", [yams]),
        module("Shared", "Integrity", ["CCrypto", "CSodium", "CSHA512Lanes"]),
        module("Shared", "Keys", ["Platform", "Integrity", systemPackage]),
        module("Shared", "Archives", ["CArchive", "CISAL", "CZstd"]),
        module("Shared", "Checkup", ["Platform", "CanonicalJSON", systemPackage]),
        module("Shared", "Databases", ["Platform", systemPackage, grdb]),
        module("Shared", "PackageStore", ["Platform", "CanonicalJSON", "Integrity", systemPackage]),
        module("Shared", "Resolution", ["CanonicalJSON", "PackageStore"]),
        module("Shared", "VerdaccioSettings", ["Platform", "YAML", systemPackage]),
        module("Shared", "Lockfiles", ["CanonicalJSON", "YAML", "Integrity", "PackageStore"]),
        module("Shared", "Snapshots", ["Platform", "CanonicalJSON", "Integrity", "PackageStore", systemPackage]),
        module(
            "Shared", "Replies", ["Platform", "CanonicalJSON", "Integrity", "PackageStore", "Snapshots", systemPackage]),
        module(
            "Shared", "BundleFormat",
            ["Platform", "CanonicalJSON", "Integrity", "Archives", "PackageStore", "Snapshots", systemPackage]),
        module(
            "Shared", "MediaLayout",
            ["Platform", "Mounts", "CanonicalJSON", "Integrity", "Snapshots", "BundleFormat", systemPackage]),
        module(
            "Shared", "ImportLedger",
            [
                "Platform", "CanonicalJSON", "Databases", "Integrity", "Archives", "PackageStore", "Snapshots", "BundleFormat",
                systemPackage, grdb,
            ]),

        // Online
        module(
            "Online", "Catalog", ["Platform", "Databases", "Integrity", "PackageStore", "Snapshots", "BundleFormat", systemPackage, grdb]),
        module("Online", "Jobs", ["Platform", "Terminal", "CanonicalJSON", "Databases", systemPackage, grdb]),
        module("Online", "Scheduling", ["Platform", systemPackage]),
        module(
            "Online", "Settings",
            ["Platform", "YAML", "Resolution", "VerdaccioSettings", "Jobs", "Scheduling", systemPackage]),
        module("Online", "Inventory", ["Platform", "CanonicalJSON", "Integrity", "PackageStore", "Catalog", systemPackage]),
        module(
            "Online", "Export",
            ["Platform", "Integrity", "PackageStore", "Snapshots", "BundleFormat", systemPackage]),
        module(
            "Online", "Registries",
            [
                "Platform", "CanonicalJSON", "Integrity", "PackageStore", "VerdaccioSettings", systemPackage, asyncHTTPClient, nioCore,
                nioHTTP1, nioHTTPCompression,
            ]),
        module(
            "Online", "Refresh",
            [
                "Platform", "CanonicalJSON", "PackageStore", "Resolution", "VerdaccioSettings", "Catalog", "Registries", systemPackage,
            ]),
        module("Online", "ArchiveCheck", ["Platform", "Integrity", "Archives", "PackageStore", "Catalog", systemPackage]),
        module(
            "Online", "Repair",
            [
                "Platform", "CanonicalJSON", "Integrity", "PackageStore", "Snapshots", "Catalog", "ArchiveCheck", "Registries",
                systemPackage,
            ]),
        module(
            "Online", "Upkeep",
            ["Platform", "Terminal", "Databases", "Integrity", "Snapshots", "BundleFormat", "Settings", "Catalog", systemPackage]),
        module(
            "Online", "Destinations",
            [
                "Platform", "Integrity", "PackageStore", "Resolution", "Snapshots", "BundleFormat", "Replies", "Catalog", systemPackage,
                "CanonicalJSON",
            ]),
        module(
            "Online", "Documents",
            [
                "Destinations",
                "Platform", "CanonicalJSON", "Integrity", "PackageStore", "Snapshots", "BundleFormat", "Settings", "Catalog", "Jobs",
                "Inventory", "ArchiveCheck", "Repair", "Refresh", "Upkeep", "Mounts", "MediaLayout", systemPackage,
            ]),
        module(
            "Online", "HTTPService",
            [
                "CanonicalJSON", "Integrity", hummingbird, hummingbirdCore, httpTypes, nioCore, nioPosix, nioHTTP1, nioHTTPTypes,
                asyncAlgorithms,
                serviceLifecycle, logging,
            ]),
        module(
            "Online", "Service",
            [
                "Platform", "Mounts", "CanonicalJSON", "Snapshots", "MediaLayout", "Jobs", "Scheduling", "Settings", systemPackage,
                subprocess,
            ]),
        module(
            "Online", "API",
            [
                "Platform", "CanonicalJSON", "Integrity", "PackageStore", "VerdaccioSettings", "Snapshots", "BundleFormat", "Mounts",
                "MediaLayout",
                "Databases", "Jobs", "Scheduling", "Settings", "Catalog", "Upkeep", "Documents", "Destinations", "Replies", "HTTPService",
                "Service", systemPackage,
            ]),
        module("Online", "PackageManagers", ["Platform", "PackageStore", systemPackage, subprocess]),
        .plugin(name: "WebAssets", capability: .buildTool(), path: "Sources/Online/WebAssets"),
        .target(
            name: "WebUI", dependencies: ["HTTPService"], path: "Sources/Online/WebUI",
            exclude: ["app", "build.sh", "tools", "tsconfig.json"],
            plugins: ["WebAssets"]),
        program(
            "Online", "ferry-online",
            [
                "Platform", "Terminal", "Provenance", "Checkup", "CanonicalJSON", "Databases", "Integrity", "PackageStore", "Resolution",
                "Lockfiles",
                "VerdaccioSettings", "Snapshots", "BundleFormat", "Mounts", "MediaLayout", "Settings", "Catalog", "Jobs", "Inventory",
                "ArchiveCheck",
                "Registries", "Repair", "Export", "Refresh", "Upkeep", "Documents", "PackageManagers", "HTTPService", "Service", "API",
                "WebUI", "Keys", "Replies", "Destinations", systemPackage, argumentParser, logging, serviceLifecycle, unixSignals,
            ]),

        // Offline
        module(
            "Offline", "Verification",
            [
                "Platform", "CanonicalJSON", "Integrity", "PackageStore", "Snapshots", "BundleFormat", "ImportLedger", systemPackage,
            ]),
        module("Offline", "Staging", ["Platform", "Integrity", "PackageStore", "Snapshots", "BundleFormat", systemPackage]),
        module(
            "Offline", "Backups",
            ["Platform", "CanonicalJSON", "Integrity", "Archives", "PackageStore", "Snapshots", systemPackage]),
        module(
            "Offline", "Activation",
            [
                "Platform", "CanonicalJSON", "Integrity", "PackageStore", "Snapshots", "ImportLedger", "Staging", "Backups", systemPackage,
            ]),
        module(
            "Offline", "Adoption",
            [
                "Platform", "CanonicalJSON", "Integrity", "PackageStore", "Snapshots", "ImportLedger", "Staging", "Backups", "Activation",
                systemPackage,
            ]),
        module(
            "Offline", "ImportPipeline",
            [
                "Platform", "CanonicalJSON", "Integrity", "PackageStore", "Snapshots", "BundleFormat", "ImportLedger", "Verification",
                "Staging", "Backups", "Activation", systemPackage,
            ]),
        module(
            "Offline", "Rollbacks",
            ["Platform", "CanonicalJSON", "Integrity", "PackageStore", "ImportLedger", "Staging", "Backups", "Activation", systemPackage]),
        module(
            "Offline", "Services",
            [
                "Platform", "CanonicalJSON", "Integrity", "PackageStore", "Snapshots", "BundleFormat", "ImportLedger", "ImportPipeline",
                "Rollbacks",
            ]),
        module(
            "Offline", "Inspection",
            ["Platform", "CanonicalJSON", "Integrity", "PackageStore", "Resolution", "Lockfiles", "ImportLedger", systemPackage]),
        module(
            "Offline", "Replying",
            [
                "Platform", "CanonicalJSON", "Integrity", "Keys", "PackageStore", "Resolution", "Snapshots", "BundleFormat", "Replies",
                "ImportLedger", "Verification", systemPackage,
            ]),
        module("Offline", "Reports", ["Platform", "CanonicalJSON", "Integrity", "PackageStore", "Snapshots", "ImportLedger"]),
        program(
            "Offline", "ferry-offline",
            [
                "Platform", "Terminal", "Provenance", "Checkup", "Mounts", "CanonicalJSON", "Databases", "Integrity", "PackageStore",
                "Resolution",
                "Lockfiles",
                "VerdaccioSettings", "Snapshots", "BundleFormat", "MediaLayout", "ImportLedger", "Verification", "Backups", "Activation",
                "Adoption", "ImportPipeline", "Rollbacks", "Services", "Inspection", "Reports", "Keys", "Replies", "Replying",
                systemPackage,
                argumentParser,
            ]),

        // Tests
        .executableTarget(
            name: "loopback-registry",
            dependencies: [
                "Platform", "CanonicalJSON", "Integrity", "PackageStore", "VerdaccioSettings", systemPackage, argumentParser, hummingbird,
                asyncHTTPClient, nioCore, nioHTTP1, httpTypes, logging,
            ],
            path: "Tests/Support/loopback-registry"),
        .target(
            name: "RegistryHarness",
            dependencies: [
                "Platform", "CanonicalJSON", "Integrity", systemPackage, hummingbird, asyncHTTPClient, nioCore, nioHTTP1, httpTypes,
                logging,
            ],
            path: "Tests/Support/RegistryHarness"),
        .target(name: "ArchiveSamples", path: "Tests/Support/ArchiveSamples"),
        .target(name: "LoopMedia", path: "Tests/Support/LoopMedia"),
        .target(name: "FaultShim", path: "Tests/Support/FaultShim", exclude: ["fault.c"]),
        tests("Architecture", "ArchitectureTests", []),
        tests("Shared/PlatformTests", "PlatformTests", ["Platform", systemPackage]),
        tests("Shared/CheckupTests", "CheckupTests", ["Platform", "CanonicalJSON", "Checkup", systemPackage]),
        tests("Shared/ProvenanceTests", "ProvenanceTests", ["Provenance"]),
        tests("Shared/MountsTests", "MountsTests", ["Platform", "Mounts", "LoopMedia", systemPackage]),
        tests("Shared/CanonicalJSONTests", "CanonicalJSONTests", ["CanonicalJSON"]),
        tests("Shared/YAMLTests", "YAMLTests", ["YAML"]),
        tests("Shared/IntegrityTests", "IntegrityTests", ["Integrity"]),
        tests("Shared/ArchivesTests", "ArchivesTests", ["Archives", "ArchiveSamples"]),
        tests(
            "Shared/PackageStoreTests", "PackageStoreTests", ["Platform", "CanonicalJSON", "Integrity", "PackageStore", systemPackage]),
        tests("Shared/ResolutionTests", "ResolutionTests", ["CanonicalJSON", "PackageStore", "Resolution"]),
        tests("Shared/VerdaccioSettingsTests", "VerdaccioSettingsTests", ["VerdaccioSettings", systemPackage]),
        tests("Shared/ImportLedgerTests", "ImportLedgerTests", ["Platform", "PackageStore", "Snapshots", "ImportLedger", systemPackage]),
        tests(
            "Shared/RepliesTests", "RepliesTests", ["Platform", "CanonicalJSON", "Integrity", "PackageStore", "Snapshots", "Replies"]),
        tests("Shared/LockfilesTests", "LockfilesTests", ["Integrity", "PackageStore", "Lockfiles"]),
        tests(
            "Shared/SnapshotsTests", "SnapshotsTests",
            ["Platform", "CanonicalJSON", "Integrity", "PackageStore", "Snapshots", systemPackage]),
        tests(
            "Online/RegistriesTests", "RegistriesTests",
            ["CanonicalJSON", "PackageStore", "VerdaccioSettings", "Registries", "RegistryHarness"]),
        tests(
            "Online/RepairTests", "RepairTests",
            [
                "Platform", "CanonicalJSON", "Integrity", "PackageStore", "VerdaccioSettings", "Snapshots", "Catalog", "Inventory",
                "ArchiveCheck", "Registries", "Repair", "RegistryHarness", "ArchiveSamples", "LoopMedia", "loopback-registry",
                systemPackage,
            ]),
        tests(
            "Online/RefreshTests", "RefreshTests",
            [
                "Platform", "CanonicalJSON", "PackageStore", "Resolution", "VerdaccioSettings", "Catalog", "Registries", "Refresh",
                "RegistryHarness", "loopback-registry", systemPackage,
            ]),
        tests(
            "Online/UpkeepTests", "UpkeepTests",
            ["Platform", "Integrity", "Snapshots", "BundleFormat", "Settings", "Catalog", "Upkeep", systemPackage]),
        tests("Online/JobsTests", "JobsTests", ["Platform", "CanonicalJSON", "Jobs", systemPackage]),
        tests(
            "Online/ServiceTests", "ServiceTests",
            [
                "Platform", "Mounts", "CanonicalJSON", "MediaLayout", "Jobs", "Scheduling", "Settings", "Service", "RegistryHarness",
                "ferry-online", systemPackage,
            ]),
        tests("Online/SettingsTests", "SettingsTests", ["CanonicalJSON", "Resolution", "Jobs", "Scheduling", "Settings", systemPackage]),
        tests(
            "Online/HTTPServiceTests", "HTTPServiceTests",
            [
                "CanonicalJSON", "HTTPService", hummingbird, httpTypes, nioCore, nioEmbedded, nioHTTP1, nioHTTPTypes, serviceLifecycle,
                logging,
            ]),
        tests(
            "Online/APITests", "APITests",
            [
                "Platform", "CanonicalJSON", "Integrity", "PackageStore", "Snapshots", "BundleFormat", "Replies", "Settings", "Catalog",
                "Destinations", "Inventory",
                "Export", "Mounts", "MediaLayout", "Jobs", "Documents", "HTTPService", "Service", "API", systemPackage, serviceLifecycle,
                logging,
            ]),
        tests("Online/WebUITests", "WebUITests", ["ferry-online", "loopback-registry"]),
        tests(
            "Online/InventoryTests", "InventoryTests",
            ["Platform", "CanonicalJSON", "Integrity", "PackageStore", "Snapshots", "Catalog", "Inventory", systemPackage]),
        tests(
            "Online/ArchiveCheckTests", "ArchiveCheckTests",
            ["Platform", "CanonicalJSON", "Integrity", "PackageStore", "Catalog", "ArchiveCheck", "ArchiveSamples", systemPackage]),
        tests("Online/SchedulingTests", "SchedulingTests", ["Platform", "Scheduling", systemPackage]),
        tests(
            "Online/PackageManagersTests", "PackageManagersTests",
            ["Platform", "CanonicalJSON", "PackageStore", "PackageManagers", "RegistryHarness", "loopback-registry", systemPackage]),
        tests("Offline/BackupsTests", "BackupsTests", ["Platform", "Integrity", "PackageStore", "Snapshots", "Backups", systemPackage]),
        tests(
            "Offline/InspectionTests", "InspectionTests", ["CanonicalJSON", "PackageStore", "Resolution", "Inspection"]),
        tests("Offline/ReportsTests", "ReportsTests", ["Reports"]),
        tests("Offline/ServicesTests", "ServicesTests", ["Platform", "Services"]),
        tests(
            "CommandLine", "CommandLineTests",
            [
                "RegistryHarness", "ArchiveSamples", "LoopMedia", "FaultShim", "ferry-online", "ferry-offline", "loopback-registry",
                systemPackage,
            ]),
        tests("Documents", "DocumentsTests", ["ferry-online", "ferry-offline", "loopback-registry"]),
        tests("Packaging", "PackagingTests", ["YAML", "Settings", "ferry-online", "ferry-offline", systemPackage]),
        tests("Contract", "ContractTests", ["CanonicalJSON", "RegistryHarness", "loopback-registry"]),
        tests(
            "Damage", "DamageTests",
            [
                "Platform", "CanonicalJSON", "Integrity", "Archives", "PackageStore", "Snapshots", "BundleFormat", "ImportLedger",
                "Verification", "ImportPipeline", "ferry-offline", systemPackage,
            ]),
        tests(
            "Compatibility", "CompatibilityTests",
            [
                "Platform", "Databases", "Integrity", "PackageStore", "Snapshots", "BundleFormat", "MediaLayout",
                "ImportLedger", "Catalog", "Jobs", "Verification", "ImportPipeline", systemPackage, grdb,
            ]),
        tests(
            "EndToEnd", "EndToEndTests",
            [
                "Platform", "CanonicalJSON", "Integrity", "PackageStore", "Snapshots", "BundleFormat", "MediaLayout", "ImportLedger",
                "Databases", "Settings", "Catalog", "Export", "Upkeep", "Verification", "Staging", "Backups", "Activation", "Adoption",
                "ImportPipeline",
                "Rollbacks", "Inspection", "Reports", "Keys", "Replies", "Replying", "Destinations", "LoopMedia", "Mounts", systemPackage,
            ]),
    ])

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),  // SE-0335
    .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
    .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),  // SE-0461
]

for target in package.targets where ![.system, .plugin].contains(target.type) && !["CPlatform", "CSHA512Lanes"].contains(target.name) {
    target.swiftSettings = strict
}
