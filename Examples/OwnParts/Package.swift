// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "OwnParts",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "csilink", path: "../..")],
  targets: [
    .executableTarget(
      name: "OwnParts",
      dependencies: [
        "LinkMath", "Parts", "Channels", "Codecs", "Scenarios", "Simulation", "Reports",
      ]
      .map { .product(name: $0, package: "csilink") }, path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
