// The flows of a sweep, one line each.

import Foundation

/// All runs of a sweep, numbered, each with what makes it: `ledger.jsonl`.
///
/// A line needs no other line, so that parts of a sweep can run anywhere and in any order.
public struct SweepLedger: Equatable, Sendable {
  /// One run.
  public struct Line: Codable, Equatable, Sendable {
    /// Its number, from 1.
    public var number: Int
    /// The number of its flow, from 1.
    public var flow: Int
    /// Its number among the replicates of its flow, from 1.
    public var replicate: Int
    /// Its run directory, from that of the sweep on.
    public var path: String
    /// The swept keys and their values, as after `--set`.
    public var settings: [Setting]
    /// Its seeds by the name of their stream; they differ between replicates.
    public var seeds: [String: UInt64]
    /// The SHA-256 of its resolved experiment.
    public var experimentSHA256: String

    /// Creates a line.
    public init(
      number: Int, flow: Int, replicate: Int, path: String, settings: [Setting],
      seeds: [String: UInt64], experimentSHA256: String
    ) {
      self.number = number
      self.flow = flow
      self.replicate = replicate
      self.path = path
      self.settings = settings
      self.seeds = seeds
      self.experimentSHA256 = experimentSHA256
    }

    enum CodingKeys: String, CodingKey {
      case number, flow, replicate, path, settings, seeds
      case experimentSHA256 = "experiment_sha256"
    }
  }

  /// A key and its value.
  public struct Setting: Codable, Equatable, Sendable {
    /// The path of the key.
    public var key: String
    /// The value.
    public var value: String

    /// Creates a setting.
    public init(key: String, value: String) {
      self.key = key
      self.value = value
    }
  }

  /// The runs in order.
  public let lines: [Line]

  /// A ledger of runs numbered from 1 on.
  public init(lines: [Line]) { self.lines = lines }

  /// The ledger as text, one JSON object per line.
  public var text: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var text = ""
    for line in lines {
      do {
        text += String(decoding: try encoder.encode(line), as: UTF8.self) + "\n"
      } catch {
        preconditionFailure("a line is made of values that JSON can hold: \(error)")
      }
    }
    return text
  }

  /// Reads a ledger.
  ///
  /// - Parameters:
  ///   - text: one JSON object per line, numbered from 1 on.
  ///   - path: the file that errors name.
  /// - Throws: `RecordError` that names the first line with a fault.
  public init(text: String, path: String) throws(RecordError) {
    let decoder = JSONDecoder()
    var lines: [Line] = []
    for (index, row) in text.split(separator: "\n").enumerated() {
      func malformed(_ fault: String) -> RecordError {
        RecordError(
          path: path, reason: .malformed("\(fault) in line \(index + 1)"),
          advice: "Was the file changed by hand? Plan the sweep again, into a new folder.")
      }
      let line: Line
      do {
        line = try decoder.decode(Line.self, from: Data(row.utf8))
      } catch {
        throw malformed("no JSON object of a run")
      }
      guard line.number == index + 1 else {
        throw malformed("number \(line.number)")
      }
      let parts = line.path.split(separator: "/", omittingEmptySubsequences: false)
      guard !parts.isEmpty, parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") }) else {
        throw malformed("the path \(line.path.prefix(80)), which leads elsewhere,")
      }
      lines.append(line)
    }
    self.lines = lines
  }
}
