// swift-tools-version: 6.2
// gradflow: exact gradient flow of small transformers, held against theorems.
//
// The targets stand bottom-up, and each lists exactly what it imports.

import Foundation
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

/// SUNDIALS 7 keeps its common parts in a library of their own, SUNDIALS 6 has none.
///
/// A header tells which one is installed. Libraries outside /usr need `SUNDIALS_PREFIX` in the
/// environment and the flags `-Xcc -I$SUNDIALS_PREFIX/include -Xlinker -L$SUNDIALS_PREFIX/lib
/// -Xlinker -rpath -Xlinker $SUNDIALS_PREFIX/lib`.
let sundialsPrefix = Context.environment["SUNDIALS_PREFIX"] ?? "/usr"
let sundialsHasCore = FileManager.default.fileExists(
  atPath: sundialsPrefix + "/include/sundials/sundials_core.h")
let sundialsCore: [LinkerSetting] = sundialsHasCore ? [.linkedLibrary("sundials_core")] : []

let package = Package(
  name: "gradflow",
  products: [
    .library(name: "CVODE", targets: ["CVODE"]),
  ],
  dependencies: [
  ],
  targets: [
    // MARK: - C libraries
    .target(  // SUNDIALS behind one small shim
      name: "CNumerics",
      linkerSettings: [
        .linkedLibrary("sundials_cvode"), .linkedLibrary("sundials_nvecserial"),
        .linkedLibrary("sundials_sunmatrixdense"), .linkedLibrary("sundials_sunlinsoldense"),
        .linkedLibrary("sundials_sunlinsolspgmr"), .linkedLibrary("sundials_sunlinsolpcg"),
        .linkedLibrary("sundials_sunnonlinsolnewton"),
        .linkedLibrary("sundials_sunnonlinsolfixedpoint"),
      ] + sundialsCore),

    // MARK: - Numerics
    .target(  // y′ = f(t, y), safely
      name: "CVODE", dependencies: ["CNumerics"], swiftSettings: safetySettings),

    // MARK: - Tests
    .testTarget(name: "CVODETests", dependencies: ["CVODE"], swiftSettings: settings),
  ]
)
