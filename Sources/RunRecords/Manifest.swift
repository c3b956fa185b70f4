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
  /// The SHA-256 of the program; nil where it could not be read.
  public var programSHA256: String?
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
  /// When it was taken up again after an interruption; nil if it never was.
  public var resumptions: [Timestamp]?
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
    programVersion: String, programSHA256: String? = nil, experimentSHA256: String,
    seeds: [String: UInt64], source: SourceState? = nil, libraries: [String: String],
    compiler: String, kernelPath: String,
    machine: Machine, threads: Int, start: Timestamp, end: Timestamp? = nil,
    status: RunStatus = .running, stages: [StageRecord] = [], laws: [LawCheck] = []
  ) {
    self.programVersion = programVersion
    self.programSHA256 = programSHA256
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
    case programSHA256 = "program_sha256"
    case experimentSHA256 = "experiment_sha256"
    case seeds, source, libraries, compiler
    case kernelPath = "kernel_path"
    case machine, threads, start, resumptions, end, status, flows, stages, laws, quantities, tables
    case evaluated = "evaluated_run"
  }
}

extension Manifest {
  /// Makes this the manifest of a run that goes on where an earlier one was interrupted.
  ///
  /// - Parameter earlier: the manifest of that one.
  public mutating func resume(_ earlier: Manifest) {
    resumptions = (earlier.resumptions ?? []) + [start]
    start = earlier.start
  }

  /// What differs between the program of this manifest and that of a later one, in words; nil if nothing does.
  ///
  /// Bytes of results hang on the program, on the instruction set of its kernels and on the libraries.
  ///
  /// - Parameter later: the manifest of the other program.
  /// - Returns: for instance `kernels avx2 instead of avx512`.
  public func difference(from later: Manifest) -> String? {
    func differing(_ name: String, _ now: String, _ then: String) -> String? {
      now == then ? nil : "\(name) \(now) instead of \(then)"
    }
    func state(_ source: SourceState?) -> String {
      source.map { $0.commit + ($0.isDirty ? " with changes" : "") } ?? "unknown"
    }
    func library(_ name: String) -> String? {
      differing(name, later.libraries[name] ?? "unknown", libraries[name] ?? "unknown")
    }
    let parts = [
      differing("version", later.programVersion, programVersion),
      differing("commit", state(later.source), state(source)),
      differing("kernels", later.kernelPath, kernelPath), library("SUNDIALS"), library("OpenBLAS"),
    ].compactMap(\.self)
    if parts.isEmpty, later.programSHA256 != programSHA256 { return "another build of it" }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

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
