// swift-tools-version: 6.1
import PackageDescription

/// Debian packages behind the system libraries; `make setup` installs the same list.
func system(_ name: String, _ pkgConfig: String, _ package: String) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

let complex: [Target.Dependency] = [.product(name: "Numerics", package: "swift-numerics")]

/// Targets of this package by name, with the complex numbers that nearly all of them use.
func math(_ names: String...) -> [Target.Dependency] {
  names.map { .target(name: $0) } + complex
}

/// The rooms of the house, which other packages can use one by one.
let rooms = [
  "LinkMath", "Parts", "DataFiles", "Networks", "Channels", "Coding", "Codecs", "Link",
  "Datasets", "Training", "Scenarios", "Simulation", "Reports",
]

let package = Package(
  name: "csilink",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "csilink", targets: ["csilink"])]
    + rooms.map { .library(name: $0, targets: [$0]) },
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache.git", from: "2.1.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    system("CFFTW", "fftw3f", "libfftw3-dev"),
    system("CLAPACK", "lapack", "liblapack-dev"),
    system("CHDF5", "hdf5-serial", "libhdf5-dev"),
    system("CZLib", "zlib", "zlib1g-dev"),
    system("COpenSSL", "libcrypto", "libssl-dev"),
    .target(name: "CKernels"),

    .target(
      name: "LinkMath", dependencies: math("CFFTW", "CLAPACK", "CKernels", "COpenSSL")),
    .target(name: "Parts", dependencies: ["LinkMath"]),
    .target(name: "CHDF5Probe", dependencies: ["CHDF5"]),
    .target(name: "DataFiles", dependencies: ["CHDF5", "CHDF5Probe", "CZLib"]),
    .target(name: "Networks", dependencies: ["LinkMath", "Parts", "CKernels", "DataFiles"]),
    .target(name: "Channels", dependencies: math("LinkMath", "Parts", "DataFiles")),
    .target(name: "Coding", dependencies: ["LinkMath", "Parts", "CKernels"]),
    .target(
      name: "Codecs", dependencies: math("LinkMath", "Parts", "Coding", "DataFiles", "Networks")),
    .target(
      name: "Link",
      dependencies: math("LinkMath", "Parts", "Channels", "Coding", "Codecs", "CKernels")),
    .target(
      name: "Datasets",
      dependencies: math("LinkMath", "Parts", "DataFiles", "Channels", "Codecs", "Link")),
    .target(
      name: "Training", dependencies: ["LinkMath", "Parts", "DataFiles", "Networks", "Coding"]),
    .target(name: "Scenarios", dependencies: ["Parts", .product(name: "Yams", package: "Yams")]),
    .target(
      name: "Simulation",
      dependencies: math(
        "LinkMath", "Parts", "Channels", "Codecs", "Link", "Scenarios", "DataFiles", "CKernels",
        "Networks", "Training", "Datasets")),
    .target(
      name: "Reports",
      dependencies: [
        "Simulation", "Scenarios", "DataFiles", "Parts", "Training", "Datasets", "LinkMath",
        "Networks", .product(name: "Mustache", package: "swift-mustache"),
      ]),
    .executableTarget(
      name: "csilink",
      dependencies: [
        "Simulation", "Reports", "Scenarios", "Parts", "Networks", "Training", "DataFiles",
        "Datasets", "Link", "LinkMath",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    .executableTarget(
      name: "LinkBenchmark",
      dependencies: [
        "Simulation", "Channels", "Scenarios", "Parts", "LinkMath",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Benchmarks/LinkBenchmark"),
    .executableTarget(
      name: "NetworkBenchmark",
      dependencies: [
        "Networks", "LinkMath", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Benchmarks/NetworkBenchmark"),
    .executableTarget(
      name: "PolarBenchmark",
      dependencies: [
        "Coding", "LinkMath", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Benchmarks/PolarBenchmark"),

    .executableTarget(
      name: "CodingBenchmark",
      dependencies: [
        "Coding", "LinkMath", "Parts", "DataFiles", "Networks",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Benchmarks/CodingBenchmark"),

    .target(
      name: "TestSupport", dependencies: math("LinkMath", "Networks"), path: "Tests/TestSupport"),
    .executableTarget(
      name: "ReaderFuzz",
      dependencies: [
        "Simulation", "Training", "Networks", "Datasets", "DataFiles", "Scenarios", "Parts",
        "LinkMath", "TestSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tests/ReaderFuzz"),
    .testTarget(name: "LinkMathTests", dependencies: math("LinkMath", "CKernels", "TestSupport")),
    .testTarget(name: "PartsTests", dependencies: ["Parts"]),
    .testTarget(name: "DataFilesTests", dependencies: ["DataFiles", "TestSupport"]),
    .testTarget(
      name: "NetworksTests",
      dependencies: ["Networks", "LinkMath", "CKernels", "DataFiles", "TestSupport"]),
    .testTarget(
      name: "ChannelsTests", dependencies: math("Channels", "Link", "DataFiles", "TestSupport")),
    .testTarget(
      name: "CodingTests",
      dependencies: ["Coding", "Parts", "LinkMath", "CKernels", "DataFiles", "TestSupport"]),
    .testTarget(
      name: "CodecsTests", dependencies: math("Codecs", "Networks", "DataFiles", "TestSupport")),
    .testTarget(name: "LinkTests", dependencies: math("Link", "TestSupport")),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Training", "Networks", "Coding", "LinkMath", "DataFiles", "Parts", "TestSupport",
      ]),
    .testTarget(
      name: "DatasetsTests",
      dependencies: math("Datasets", "Channels", "Link", "DataFiles", "TestSupport")),
    .testTarget(name: "ScenariosTests", dependencies: ["Scenarios", "Parts"]),
    .testTarget(
      name: "SimulationTests",
      dependencies: math("Simulation", "Reports", "Training", "Networks", "TestSupport")),
    .testTarget(
      name: "ReportsTests", dependencies: ["Reports", "Simulation", "DataFiles", "LinkMath"]),
    .testTarget(
      name: "CommandLineTests",
      dependencies: ["csilink", "TestSupport", "DataFiles", "Datasets", "LinkMath"]),
  ],
  swiftLanguageModes: [.v6]
)
