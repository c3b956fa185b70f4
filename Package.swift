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

let package = Package(
  name: "gradflow",
  products: [
    .library(name: "Experiments", targets: ["Experiments"])
  ],
  dependencies: [
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2")
  ],
  targets: [
    // MARK: - Input
    .target(  // documents whose keys are declared once
      name: "DeclaredKeys", dependencies: ["Yams"], swiftSettings: settings),
    .target(  // the declared keys of an experiment
      name: "Experiments", dependencies: ["DeclaredKeys"], swiftSettings: settings),

    // MARK: - Tests
    .testTarget(name: "DeclaredKeysTests", dependencies: ["DeclaredKeys"], swiftSettings: settings),
    .testTarget(name: "ExperimentsTests", dependencies: ["Experiments"], swiftSettings: settings),
  ]
)
