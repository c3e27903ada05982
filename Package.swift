// swift-tools-version: 6.1
import PackageDescription

/// Debian packages behind the system libraries; `make setup` installs the same list.
func system(_ name: String, _ pkgConfig: String, _ package: String) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

let complex: [Target.Dependency] = [
  .product(name: "Numerics", package: "swift-numerics")
]

let package = Package(
  name: "csilink",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "csilink", targets: ["csilink"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    system("CFFTW", "fftw3f", "libfftw3-dev"),
    system("COpenBLAS", "openblas", "libopenblas-dev"),
    system("CMatIO", "matio", "libmatio-dev"),
    system("CHDF5", "hdf5-serial", "libhdf5-dev"),
    system("CZLib", "zlib", "zlib1g-dev"),
    system("COpenSSL", "libcrypto", "libssl-dev"),
    .target(name: "CKernels"),

    .target(
      name: "LinkMath", dependencies: ["CFFTW", "COpenBLAS", "CKernels", "COpenSSL"] + complex),
    .target(name: "Parts", dependencies: ["LinkMath"]),
    .target(name: "DataFiles", dependencies: ["CMatIO", "CHDF5", "CZLib"]),
    .target(
      name: "Networks", dependencies: ["LinkMath", "CKernels", "DataFiles"]),
    .target(name: "Channels", dependencies: ["LinkMath", "Parts", "DataFiles"] + complex),
    .target(name: "Codecs", dependencies: ["LinkMath", "Parts", "DataFiles"] + complex),
    .target(
      name: "Link", dependencies: ["LinkMath", "Parts", "Channels", "Codecs", "CKernels"] + complex),
    .target(name: "Scenarios", dependencies: ["Parts", .product(name: "Yams", package: "Yams")]),
    .target(
      name: "Simulation",
      dependencies: ["LinkMath", "Parts", "Channels", "Codecs", "Link", "Scenarios", "DataFiles"]),
    .target(name: "Reports", dependencies: ["Simulation", "Scenarios", "LinkMath"]),
    .executableTarget(
      name: "csilink",
      dependencies: [
        "Simulation", "Reports", "Scenarios", "Parts",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    .target(name: "TestSupport", dependencies: ["LinkMath"] + complex, path: "Tests/TestSupport"),
    .testTarget(name: "LinkMathTests", dependencies: ["LinkMath", "TestSupport"] + complex),
    .testTarget(name: "PartsTests", dependencies: ["Parts"]),
    .testTarget(name: "DataFilesTests", dependencies: ["DataFiles"]),
    .testTarget(name: "ChannelsTests", dependencies: ["Channels", "TestSupport"] + complex),
    .testTarget(name: "CodecsTests", dependencies: ["Codecs", "TestSupport"] + complex),
    .testTarget(name: "LinkTests", dependencies: ["Link", "TestSupport"] + complex),
    .testTarget(
      name: "NetworksTests", dependencies: ["Networks", "LinkMath", "CKernels", "DataFiles"]),
    .testTarget(name: "ScenariosTests", dependencies: ["Scenarios", "Parts"]),
    .testTarget(
      name: "SimulationTests", dependencies: ["Simulation", "Reports", "TestSupport"] + complex),
    .testTarget(name: "CommandLineTests", dependencies: ["TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
