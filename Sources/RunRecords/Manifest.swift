// The birth certificate of a run: manifest.json.

import Foundation

/// What was computed, by which program on which machine, and how it ended.
///
/// Everything that may differ between two equal runs stands here and in no other file.
public struct Manifest: Codable, Equatable, Sendable {
  /// The version of this layout that the program writes.
  public static let currentSchemaVersion = 1

  /// The version of this layout.
  public var schemaVersion = Manifest.currentSchemaVersion
  /// The version of the program.
  public var programVersion: String
  /// The SHA-256 of the bytes of `experiment.yaml`.
  public var experimentSHA256: String
  /// The seeds by the name of their stream.
  public var seeds: [String: UInt64]
  /// The state of the source, if it is known.
  public var source: SourceState?
  /// The versions of the libraries by name.
  public var libraries: [String: String]
  /// The compiler and its version.
  public var compiler: String
  /// The instruction set of the kernels that ran.
  public var kernelPath: String
  /// Where it ran.
  public var machine: Machine
  /// The number of threads.
  public var threads: Int
  /// When it started.
  public var start: Timestamp
  /// When it ended; nil while it runs.
  public var end: Timestamp?
  /// How it stands.
  public var status: RunStatus
  /// How the runs inside stand; nil for an ordinary run.
  public var flows: FlowCounts?
  /// The stages so far, in order.
  public var stages: [StageRecord]
  /// The laws that were checked.
  public var laws: [LawCheck]
  /// The most telling quantities at the end; nil of runs that integrate no flow.
  public var quantities: [EndQuantity]?
  /// The tables of a run that integrates no flow; nil for one that does.
  public var tables: [String]?
  /// The run whose model an evaluation is about; nil for others.
  public var evaluated: String?

  /// The manifest of a run that starts.
  public init(
    programVersion: String, experimentSHA256: String, seeds: [String: UInt64],
    source: SourceState? = nil, libraries: [String: String], compiler: String, kernelPath: String,
    machine: Machine, threads: Int, start: Timestamp, end: Timestamp? = nil,
    status: RunStatus = .running, stages: [StageRecord] = [], laws: [LawCheck] = []
  ) {
    self.programVersion = programVersion
    self.experimentSHA256 = experimentSHA256
    self.seeds = seeds
    self.source = source
    self.libraries = libraries
    self.compiler = compiler
    self.kernelPath = kernelPath
    self.machine = machine
    self.threads = threads
    self.start = start
    self.end = end
    self.status = status
    self.stages = stages
    self.laws = laws
  }

  enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case programVersion = "program_version"
    case experimentSHA256 = "experiment_sha256"
    case seeds, source, libraries, compiler
    case kernelPath = "kernel_path"
    case machine, threads, start, end, status, flows, stages, laws, quantities, tables
    case evaluated = "evaluated_run"
  }
}

extension Manifest {
  /// The manifest as JSON: indented, keys sorted, a line feed at the end.
  ///
  /// JSON has no infinite numbers; they are written as the texts `inf`, `-inf`, `nan`.
  public func json() -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      return Array(try encoder.encode(self)) + [.lineFeed]
    } catch {
      preconditionFailure("a manifest is made of values that JSON can hold: \(error)")
    }
  }

  /// Reads a manifest; `path` is named in errors.
  public init(json bytes: [UInt8], path: String) throws(RecordError) {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let version: SchemaVersion
    do {
      version = try decoder.decode(SchemaVersion.self, from: Data(bytes))
      if version.schemaVersion <= Self.currentSchemaVersion {
        self = try decoder.decode(Manifest.self, from: Data(bytes))
        return
      }
    } catch {
      throw RecordError(
        path: path, reason: .malformed(Self.explanation(of: error)),
        advice: "Was the file changed by hand? Run the experiment again.")
    }
    throw RecordError(
      path: path,
      reason: .malformed(
        "schema version \(version.schemaVersion), newer than \(Self.currentSchemaVersion)"),
      advice: "Read this run with the gradflow that made it, or a newer one.")
  }

  private struct SchemaVersion: Codable {
    let schemaVersion: Int
    enum CodingKeys: String, CodingKey { case schemaVersion = "schema_version" }
  }

  private static func explanation(of error: any Error) -> String {
    func place(_ context: DecodingError.Context) -> String {
      let keys = context.codingPath.map { key in key.intValue.map(String.init) ?? key.stringValue }
      return keys.isEmpty ? "the top level" : keys.joined(separator: ".")
    }
    switch error {
    case DecodingError.keyNotFound(let key, let context):
      return "no key \"\(key.stringValue)\" at \(place(context))"
    case DecodingError.typeMismatch(let type, let context),
      DecodingError.valueNotFound(let type, let context):
      return "no \(type) at \(place(context))"
    case DecodingError.dataCorrupted(let context):
      return "\(context.debugDescription) (at \(place(context)))"
    default: return "\(error)"
    }
  }
}
