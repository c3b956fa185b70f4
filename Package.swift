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
  targets: [
    .target(name: "ParallelLoops", swiftSettings: settings),
    .target(name: "Objectives", swiftSettings: settings),
    .target(name: "Corpora", dependencies: ["ParallelLoops"], swiftSettings: settings),
    .target(
      name: "InductionHeads", dependencies: ["Corpora", "Objectives", "ParallelLoops"],
      swiftSettings: settings),
    .testTarget(
      name: "InductionHeadsTests", dependencies: ["InductionHeads", "Corpora", "Objectives"],
      swiftSettings: settings),
  ]
)
