// swift-tools-version: 6.2
import PackageDescription

// Set by .ci/run; a stranger's newer compiler must not fail on a warning it has just learned.
let strict = Context.environment["MLD_WARNINGS_AS_ERRORS"] == "1"

let common: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (strict ? [.treatAllWarnings(as: .error)] : [])

/// The processor the training core is built for: nil for any x86-64, else `haswell` or `skylake-avx512`. One manifest
/// cannot hold three builds of the same sources, so `scripts/build` runs it three times with this set.
let targetCPU = Context.environment["MLD_TARGET_CPU"]

/// The training core's inner loops are optimised in every configuration: their tests would take minutes otherwise. Debug
/// builds, where the tests run, check bounds and overflow all the same.
let numeric =
    common + [
        .unsafeFlags(["-O"], .when(configuration: .debug)),
        .unsafeFlags(["-Ounchecked"], .when(configuration: .release)),
    ] + (targetCPU.map { [.unsafeFlags(["-target-cpu", $0, "-Xcc", "-march=" + $0])] } ?? [])

let cSettings: [CSetting] =
    (strict ? [.treatAllWarnings(as: .error)] : []) + (targetCPU.map { [.unsafeFlags(["-march=" + $0])] } ?? [])

func library(
    _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil,
    settings: [SwiftSetting] = common
) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: common)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.init(stringLiteral: name)] + dependencies, resources: resources,
        swiftSettings: common)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
]
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "mld",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "mld", targets: ["mld"]),
        .executable(name: "mlctl", targets: ["mlctl"]),
        .executable(name: "mltrain", targets: ["mltrain"]),
        .executable(name: "mld-exec", targets: ["mld-exec"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // Floor 0: the kernel's and the system libraries' interfaces.
        .target(name: "CLinux", cSettings: cSettings),
        .target(name: "CKernels", cSettings: cSettings),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),

        // Floor 1: quantities, documents, wire types, the machine, arrays.
        library("Units"),
        library("ConfigFile", ["Units"]),
        library("JobAPI", ["Units", "ConfigFile"]),
        library("JobClient", ["JobAPI"] + nio),
        library("LinuxSystem", ["CLinux", "CSystemd"]),
        library("Tensors", ["COpenBLAS", "CKernels", "CLinux"], settings: numeric),

        // Floor 2: pure decisions and the training core.
        library("Carbon", ["Units"], resources: [.embedInCode("Resources")]),
        library("Metering", ["ConfigFile", "LinuxSystem", "Units"]),
        library("Policy", ["ConfigFile", "JobAPI", "Units"]),
        library("Scheduling", ["Carbon", "Policy", "JobAPI", "Units"]),
        library("Datasets", ["Tensors"], settings: numeric),
        library("Learning", ["Tensors", "CKernels"], settings: numeric),

        // Floor 3: what keeps, isolates and shows.
        library("Ledger", ["JobAPI", "Units", .product(name: "GRDB", package: "GRDB.swift")]),
        library("Sandbox", ["LinuxSystem", "CLinux"]),
        library("Reporting", ["JobAPI", "Units"]),
        library("Simulation", ["Scheduling", "Policy", "Carbon", "JobAPI", "Units"]),

        // Floor 4: the programs.
        library("Training", ["Learning", "Datasets", "Tensors", "JobAPI", "ConfigFile", "Units"], settings: numeric),
        library(
            "Commands",
            [
                "JobAPI", "JobClient", "ConfigFile", "Policy", "Carbon", "Simulation", "Reporting", "Units",
                argumentParser,
            ]),
        library(
            "Daemon",
            [
                "JobAPI", "Policy", "Scheduling", "Metering", "Carbon", "Ledger", "Sandbox", "LinuxSystem", "Units",
                "ConfigFile", lifecycle, logging,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ] + nio),
        program("mld", ["Daemon", "JobAPI", "LinuxSystem", "Metering", "Units", argumentParser]),
        // Started by hand and in loops: half of a short run would be the dynamic loader's.
        .executableTarget(
            name: "mlctl", dependencies: ["Commands"], swiftSettings: common,
            linkerSettings: [
                .unsafeFlags(
                    ["-static-stdlib", "-l_FoundationCShims", "-l_FoundationCollections"],
                    .when(configuration: .release))
            ]),
        program("mltrain", ["Training", argumentParser]),
        // Two of these start with every job: without a dynamic loader that takes a third of the time.
        .executableTarget(
            name: "mld-exec", dependencies: ["CLinux", "CSeccomp"],
            swiftSettings: common + [.unsafeFlags(["-static-stdlib"], .when(configuration: .release))],
            linkerSettings: [.unsafeFlags(["-static-executable"], .when(configuration: .release))]),

        .target(
            name: "BenchmarkSupport", dependencies: ["JobAPI", "Reporting", "Units", argumentParser],
            path: "Benchmarks/support", swiftSettings: common),
        .executableTarget(
            name: "metering-benchmark",
            dependencies: [
                "BenchmarkSupport", "Metering", "Ledger", "LinuxSystem", "JobAPI", "TestSupport", "Units",
                argumentParser,
            ],
            path: "Benchmarks/metering", swiftSettings: common),
        .executableTarget(
            name: "scheduling-benchmark",
            dependencies: [
                "BenchmarkSupport", "Simulation", "Scheduling", "Policy", "Carbon", "JobAPI", "LinuxSystem",
                "TestSupport", "Units", argumentParser,
            ],
            path: "Benchmarks/decisions", swiftSettings: common),

        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: common),
        tests("Units", ["TestSupport"]),
        tests("ConfigFile", ["TestSupport"]),
        tests("JobAPI", ["ConfigFile", "Units"]),
        tests("LinuxSystem", ["TestSupport"]),
        tests("Tensors", []),
        tests("Carbon", ["TestSupport", "Units"]),
        tests("Metering", ["TestSupport", "ConfigFile", "LinuxSystem", "Units"]),
        tests("Policy", ["TestSupport", "ConfigFile", "JobAPI", "Units"]),
        tests("Scheduling", ["TestSupport", "Carbon", "Policy", "JobAPI", "Units"]),
        tests("Datasets", ["Tensors"]),
        tests("Learning", ["Tensors"], resources: [.copy("Golden")]),
        tests("Ledger", ["TestSupport", "JobAPI", "Units", .product(name: "GRDB", package: "GRDB.swift")]),
        tests("Sandbox", ["LinuxSystem", "Policy", "mld-exec"]),
        tests("Reporting", ["JobAPI", "Units"]),
        tests("Simulation", ["TestSupport", "Scheduling", "Policy", "Carbon", "ConfigFile", "JobAPI", "Units"]),
        tests("Training", ["Learning", "Datasets", "Tensors", "ConfigFile", "JobAPI", "mltrain"]),
        tests(
            "Daemon",
            [
                "Carbon", "ConfigFile", "JobAPI", "JobClient", "Ledger", "LinuxSystem", "Metering", "Policy", "Sandbox",
                "Scheduling", "TestSupport", "Units", "mld", "mlctl", "mltrain", "mld-exec", logging,
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        tests("Commands", ["TestSupport", "ConfigFile", "JobAPI", "JobClient", "Reporting", "Units"] + nio),
    ]
)

// A build for one family of processors is one of the training core alone: nothing else computes enough to gain by it.
if targetCPU != nil {
    let core: Set = [
        "CLinux", "CKernels", "COpenBLAS", "Units", "ConfigFile", "JobAPI", "Tensors", "Datasets", "Learning",
        "Training",
        "mltrain", "TensorsTests", "DatasetsTests", "LearningTests", "TrainingTests",
    ]
    package.targets.removeAll { !core.contains($0.name) }
    package.products.removeAll { $0.name != "mltrain" }
    package.dependencies = [.package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")]
}
