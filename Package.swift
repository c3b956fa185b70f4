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
    .library(name: "RunRecords", targets: ["RunRecords"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2")
  ],
  targets: [
    // MARK: - Records
    .target(  // run directories: tables, manifests, arrays; every file whole or absent
      name: "RunRecords",
      dependencies: [.product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: settings),

    // MARK: - Tests
    .testTarget(name: "RunRecordsTests", dependencies: ["RunRecords"], swiftSettings: settings),
  ]
)
