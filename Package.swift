// swift-tools-version: 6.2
// gradflow: exact gradient flow of small transformers, held against theorems.
//
// The targets stand bottom-up, and each lists exactly what it imports.

import PackageDescription

/// `GRADFLOW_STRICT=1` turns every warning of this package into an error; `make test` sets it.
let strict: [SwiftSetting] =
  Context.environment["GRADFLOW_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]

let settings: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ] + strict

/// For the targets that own pointers: every unsafe construct is marked where it stands.
let safetySettings = settings + [.strictMemorySafety()]

let package = Package(
  name: "gradflow",
  products: [
    .library(name: "MarkovChains", targets: ["MarkovChains"])
  ],
  dependencies: [
    // Exact rationals, in tests only.
    .package(url: "https://github.com/attaswift/BigInt", exact: "6.0.1")
  ],
  targets: [
    // MARK: - Data
    .target(  // n-gram chains, sampling, stationary laws, information measures
      name: "MarkovChains", swiftSettings: safetySettings),

    // MARK: - Tests
    .testTarget(
      name: "MarkovChainsTests",
      dependencies: ["MarkovChains", .product(name: "BigInt", package: "BigInt")],
      swiftSettings: settings),
  ]
)
