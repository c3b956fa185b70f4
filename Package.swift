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

/// For the targets that own C pointers: every unsafe construct is marked where it stands.
let safetySettings = settings + [.strictMemorySafety()]

/// SUNDIALS 7 keeps its common parts in a library of their own, SUNDIALS 6 has none.
///
/// A header tells which one is installed; `SUNDIALS_PREFIX` says where, if not under /usr.
let sundialsPrefix = Context.environment["SUNDIALS_PREFIX"] ?? "/usr"
let sundialsHasCore = FileManager.default.fileExists(
  atPath: sundialsPrefix + "/include/sundials/sundials_core.h")
let sundialsCore: [LinkerSetting] = sundialsHasCore ? [.linkedLibrary("sundials_core")] : []

let package = Package(
  name: "gradflow",
  products: [
    .library(
      name: "GradientFlow",
      targets: ["GradientFlow", "InductionHeads", "Corpora", "MarkovChains", "Objectives"]),
    .library(name: "CVODE", targets: ["CVODE"]),
  ],
  dependencies: [
    .package(url: "https://github.com/attaswift/BigInt", from: "6.0.1"),
  ],
  targets: [
    // MARK: - C libraries
    .target(  // SUNDIALS and LAPACK behind one small shim
      name: "CNumerics",
      linkerSettings: [
        .linkedLibrary("sundials_cvode"), .linkedLibrary("sundials_nvecserial"),
        .linkedLibrary("sundials_sunmatrixdense"), .linkedLibrary("sundials_sunlinsoldense"),
        .linkedLibrary("sundials_sunlinsolspgmr"), .linkedLibrary("sundials_sunlinsolpcg"),
        .linkedLibrary("sundials_sunnonlinsolnewton"),
        .linkedLibrary("sundials_sunnonlinsolfixedpoint"), .linkedLibrary("openblas"),
      ] + sundialsCore),

    // MARK: - Numerics
    .target(  // loops whose sums do not depend on the number of threads
      name: "ParallelLoops", swiftSettings: settings),
    .target(  // dense matrices
      name: "LinearAlgebra", dependencies: ["CNumerics"], swiftSettings: safetySettings),
    .target(  // y′ = f(t, y), safely
      name: "CVODE", dependencies: ["CNumerics"], swiftSettings: safetySettings),

    // MARK: - Data
    .target(  // n-gram chains: sampling, stationary laws, information
      name: "MarkovChains", swiftSettings: settings),
    .target(  // token sequences, and their exact compression into window counts
      name: "Corpora", dependencies: ["MarkovChains", "ParallelLoops"], swiftSettings: settings),

    // MARK: - Objectives
    .target(  // L, ∇L, ∇²L, and what to watch
      name: "Objectives", swiftSettings: settings),
    .target(  // the GIH transformer on compressed corpora
      name: "InductionHeads", dependencies: ["Corpora", "Objectives", "ParallelLoops"],
      swiftSettings: settings),

    // MARK: - Flow
    .target(  // θ′ = −∇L(θ), in stages, with located events
      name: "GradientFlow", dependencies: ["CVODE", "LinearAlgebra", "Objectives"],
      swiftSettings: settings),

    // MARK: - Tests
    .testTarget(
      name: "MarkovChainsTests",
      dependencies: ["MarkovChains", .product(name: "BigInt", package: "BigInt")],
      swiftSettings: settings),
    .testTarget(
      name: "InductionHeadsTests", dependencies: ["InductionHeads", "Corpora", "Objectives"],
      swiftSettings: settings),
    .testTarget(
      name: "GradientFlowTests",
      dependencies: ["GradientFlow", "InductionHeads", "Corpora", "MarkovChains", "Objectives"],
      swiftSettings: settings),
  ]
)
