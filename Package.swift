// swift-tools-version: 6.2
// gradflow: exact gradient flow of small transformers, held against theorems.
//
// The targets stand bottom-up, and each lists exactly what it imports.

import Foundation
import PackageDescription

/// `GRADFLOW_STRICT=1` turns every warning of this package into an error; `make test` sets it.
let strict: [SwiftSetting] =
  Context.environment["GRADFLOW_STRICT"] == "1" ? [.treatAllWarnings(as: .error)] : []

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
/// A header tells which one is installed. Libraries outside /usr need `SUNDIALS_PREFIX` in the
/// environment and the flags `-Xcc -I$SUNDIALS_PREFIX/include -Xlinker -L$SUNDIALS_PREFIX/lib
/// -Xlinker -rpath -Xlinker $SUNDIALS_PREFIX/lib`.
let sundialsPrefix = Context.environment["SUNDIALS_PREFIX"] ?? "/usr"
let sundialsHasCore = FileManager.default.fileExists(
  atPath: sundialsPrefix + "/include/sundials/sundials_core.h")
let sundialsCore: [LinkerSetting] = sundialsHasCore ? [.linkedLibrary("sundials_core")] : []

/// The commit that the program was built from, for the manifest of every run.
///
/// The makefile gives it: what SwiftPM itself knows of git is cached, and may be an older commit.
let buildStamp: [CSetting] = [
  .define("GRADFLOW_COMMIT", to: "\"\(Context.environment["GRADFLOW_COMMIT"] ?? "")\""),
  .define("GRADFLOW_DIRTY", to: Context.environment["GRADFLOW_DIRTY"] ?? "0"),
]

let package = Package(
  name: "gradflow",
  products: [
    .library(
      name: "GradientFlow",
      targets: [
        "GradientFlow", "InductionHeads", "MixedTargets", "Corpora", "MarkovChains", "Objectives",
      ]),
    .library(name: "CVODE", targets: ["CVODE"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/attaswift/BigInt", from: "6.0.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
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

    .target(  // vector loops for several instruction sets, chosen at run time
      name: "CKernels"),

    // MARK: - Numerics
    .target(  // loops whose sums do not depend on the number of threads
      name: "ParallelLoops", swiftSettings: settings),
    .target(  // dense matrices
      name: "LinearAlgebra", dependencies: ["CNumerics"], swiftSettings: safetySettings),
    .target(  // y′ = f(t, y), safely
      name: "CVODE", dependencies: ["CNumerics"], swiftSettings: safetySettings),

    // MARK: - Data
    .target(  // n-gram chains: sampling, stationary laws, information
      name: "MarkovChains", dependencies: ["LinearAlgebra", "ParallelLoops"],
      swiftSettings: safetySettings),
    .target(  // token sequences, and their exact compression into window counts
      name: "Corpora", dependencies: ["MarkovChains", "ParallelLoops"], swiftSettings: settings),

    // MARK: - Objectives
    .target(  // L, ∇L, ∇²L, and what to watch
      name: "Objectives", swiftSettings: settings),
    .target(  // the GIH transformer on compressed corpora and in infinite context
      name: "InductionHeads",
      dependencies: [
        "CKernels", "Corpora", "LinearAlgebra", "MarkovChains", "Objectives", "ParallelLoops",
      ],
      swiftSettings: settings),

    .target(  // the mixed target: its transformer, its reduced flows, approximation constructions
      name: "MixedTargets",
      dependencies: ["CKernels", "LinearAlgebra", "MarkovChains", "Objectives", "ParallelLoops"],
      swiftSettings: settings),

    // MARK: - Flow
    .target(  // θ′ = −∇L(θ), in stages, with located events
      name: "GradientFlow", dependencies: ["CVODE", "LinearAlgebra", "Objectives"],
      swiftSettings: settings),

    .target(  // what a trajectory shows: laws held, rates, claims
      name: "FlowAnalysis",
      dependencies: [
        "Corpora", "GradientFlow", "InductionHeads", "MarkovChains", "MixedTargets", "Objectives",
      ], swiftSettings: settings),

    // MARK: - Files
    .target(  // run directories: CSV, manifest, arrays; whole or not at all
      name: "RunRecords", dependencies: [.product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: settings),
    .target(  // documents whose keys are declared once
      name: "DeclaredKeys", dependencies: ["Yams"], swiftSettings: settings),

    // MARK: - Program
    .target(  // an experiment: its keys, its data, objective and stages, its run
      name: "Experiments",
      dependencies: [
        "Corpora", "CVODE", "DeclaredKeys", "FlowAnalysis", "GradientFlow", "InductionHeads",
        "LinearAlgebra", "MarkovChains", "MixedTargets", "Objectives", "ParallelLoops",
        "RunRecords", .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: settings),
    .target(  // the commit the program was built from
      name: "BuildStamp", cSettings: buildStamp),
    .executableTarget(  // command line, live progress, tables
      name: "gradflow",
      dependencies: [
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        "BuildStamp", "Corpora", "CVODE", "DeclaredKeys", "Experiments", "FlowAnalysis",
        "GradientFlow", "InductionHeads", "MarkovChains", "MixedTargets", "Objectives",
        "RunRecords",
      ], swiftSettings: settings),

    .executableTarget(  // timings and work counts as CSV
      name: "flow-benchmarks",
      dependencies: [
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        "CKernels", "CVODE", "Corpora", "GradientFlow", "InductionHeads", "MarkovChains",
        "Objectives", "ParallelLoops",
      ], swiftSettings: settings),

    // MARK: - Tests
    .target(  // what several of the tests need: random numbers, objectives
      name: "TestSupport", dependencies: ["Objectives"], path: "Tests/TestSupport",
      swiftSettings: settings),
    .target(  // how much of the heap is in use
      name: "CHeap", path: "Tests/CHeap"),
    .testTarget(name: "LayerTests", swiftSettings: settings),
    .testTarget(name: "CVODETests", dependencies: ["CHeap", "CVODE"], swiftSettings: settings),
    .testTarget(
      name: "MarkovChainsTests",
      dependencies: ["MarkovChains", .product(name: "BigInt", package: "BigInt")],
      swiftSettings: settings),
    .testTarget(
      name: "InductionHeadsTests",
      dependencies: [
        "CKernels", "InductionHeads", "Corpora", "MarkovChains", "Objectives", "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "MixedTargetsTests",
      dependencies: [
        "MarkovChains", "MixedTargets", "Objectives", .product(name: "BigInt", package: "BigInt"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "RunRecordsTests", dependencies: ["RunRecords", "TestSupport"], swiftSettings: settings),
    .testTarget(name: "DeclaredKeysTests", dependencies: ["DeclaredKeys"], swiftSettings: settings),
    .testTarget(
      name: "ExperimentsTests",
      dependencies: [
        "DeclaredKeys", "Experiments", "FlowAnalysis", "GradientFlow", "MarkovChains",
        "MixedTargets",
        "RunRecords", "TestSupport", .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .testTarget(  // the built program, from outside
      name: "CommandLineTests",
      dependencies: [
        "DeclaredKeys", "Experiments", "TestSupport", "Yams", "gradflow",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "ParallelLoopsTests", dependencies: ["ParallelLoops"], swiftSettings: settings),
    .testTarget(
      name: "LinearAlgebraTests", dependencies: ["LinearAlgebra"], swiftSettings: settings),
    .testTarget(
      name: "CorporaTests", dependencies: ["Corpora", "MarkovChains"], swiftSettings: settings),
    .testTarget(
      name: "FlowAnalysisTests",
      dependencies: [
        "Corpora", "FlowAnalysis", "GradientFlow", "InductionHeads", "MarkovChains", "Objectives",
        "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "GradientFlowTests",
      dependencies: [
        "Corpora", "CVODE", "FlowAnalysis", "GradientFlow", "InductionHeads", "MarkovChains",
        "Objectives", "TestSupport",
      ],
      swiftSettings: settings),
  ]
)
