import CVODE
import Foundation
import GradientFlow
import InductionHeads
import LinearAlgebra
public import RunRecords

/// What the program says of itself in a manifest.
public struct ProgramDescription: Sendable {
  /// The version of the program.
  public let version: String
  /// The commit it was built from, if known.
  public let source: SourceState?

  /// Describes the program.
  public init(version: String, source: SourceState?) {
    self.version = version
    self.source = source
  }

  /// The manifest of a run that starts.
  func manifest(
    experiment: Experiment, resolved: String, threads: Int, start: Timestamp
  ) -> Manifest {
    manifest(
      seeds: experiment.system.seeds.mapValues { UInt64($0) },
      resolved: resolved, threads: threads, start: start)
  }

  /// The manifest of a run of any kind that starts.
  func manifest(
    seeds: [String: UInt64], resolved: String, threads: Int, start: Timestamp
  ) -> Manifest {
    Manifest(
      programVersion: version, programSHA256: Self.digest,
      experimentSHA256: Digest.sha256(resolved.utf8), seeds: seeds,
      source: source,
      libraries: [
        "SUNDIALS": SundialsLibrary.version, "OpenBLAS": OpenBLAS.configuration,
      ],
      compiler: Self.compiler, kernelPath: kernelInstructionSet,
      machine: .current(), threads: threads, start: start)
  }

  /// The SHA-256 of the program that runs; nil where it cannot be read.
  static let digest: String? = (try? Data(contentsOf: URL(fileURLWithPath: "/proc/self/exe")))
    .map { Digest.sha256($0) }

  /// What a checkpoint of an experiment comes from.
  func origin(of resolved: String) -> CheckpointOrigin {
    CheckpointOrigin(
      experimentSHA256: Digest.sha256(resolved.utf8), programSHA256: Self.digest ?? "unknown",
      kernelPath: kernelInstructionSet, format: FlowCheckpoint.format)
  }

  private static var compiler: String {
    #if compiler(>=6.4)
      "Swift 6.4 or later"
    #elseif compiler(>=6.3)
      "Swift 6.3"
    #else
      "Swift 6.2"
    #endif
  }
}
