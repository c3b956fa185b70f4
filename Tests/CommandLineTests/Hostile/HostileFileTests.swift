import Crypto
import Foundation
import TestSupport
import Testing

/// Nearly right files of every other kind that the program reads.
@Suite(.serialized) struct HostileFileTests {
  /// A file that is changed, and the commands that then read it.
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// The file that is changed, inside the folder of the case.
    let file: String
    let commands: [[String]]
    var codes: Set<Int32> = [0, 2]
    var isText: Bool { [".txt", ".yaml", ".json"].contains(where: file.contains) }
    /// Files are made in a folder by these.
    let prepare: @Sendable (Scratch) throws -> Void
  }

  private static let check = [["run", "--check", "x.yaml"]]
  private static let short = [
    "run", "x.yaml", "--out", "run", "--quiet", "--threads", "1", "--budget", "2s",
  ]

  /// 40 sequences of 31 tokens.
  private static let tokens: [[UInt8]] = (0..<40).map { row in
    (0..<31).map { UInt8(($0 * row + $0 / 3) % 3) }
  }

  static let cases = [
    Case(
      testDescription: "tokens.txt", file: "tokens.txt", commands: check + [short],
      codes: [0, 1, 2, 130]
    ) { scratch in
      try scratch.write(SmallExperiment.tokens("tokens.txt"), as: "x.yaml")
      let rows = tokens.map { row in row.map { String($0) }.joined(separator: " ") }
      try scratch.write(rows.joined(separator: "\n") + "\n", as: "tokens.txt")
    },
    Case(testDescription: "tokens.npy", file: "tokens.npy", commands: check) { scratch in
      try scratch.write(SmallExperiment.tokens("tokens.npy"), as: "x.yaml")
      try scratch.writeArray(
        "|u1", shape: "(40, 31)", tokens.flatMap(\.self),
        as: "tokens.npy")
    },
    Case(
      testDescription: "kernel.txt", file: "kernel.txt", commands: check + [short],
      codes: [0, 1, 2, 130]
    ) { scratch in
      try scratch.write(
        SmallExperiment.text.replacing("concentration: 0.1", with: "kernel: kernel.txt"),
        as: "x.yaml")
      try scratch.write(
        "# nine rows\n" + String(repeating: "0.5 0.25 0.25\n0.1,0.2,0.7\n0 1e-3 0.999\n", count: 3),
        as: "kernel.txt")
    },
    Case(testDescription: "kernel.npy", file: "kernel.npy", commands: check) { scratch in
      try scratch.write(
        SmallExperiment.text.replacing("concentration: 0.1", with: "kernel: kernel.npy"),
        as: "x.yaml")
      try scratch.writeArray(
        "<f8", shape: "(9, 3)", (0..<27).map { $0 % 3 == 0 ? 0.5 : 0.25 }, as: "kernel.npy")
    },
    Case(testDescription: "final.yaml", file: "run/final.yaml", commands: check) { scratch in
      try scratch.write(SmallExperiment.text, as: "y.yaml")
      #expect(try scratch.run("run", "y.yaml", "--out", "run", "--quiet").code == 0)
      try scratch.write(
        SmallExperiment.text + "initial: {file: run/final.yaml}\n", as: "x.yaml")
    },
    Case(
      testDescription: "checkpoint.bin", file: "run/checkpoint.bin",
      commands: [short + ["--resume"]],
      codes: [0, 1, 2, 130]
    ) { scratch in
      try scratch.write(ResumeTests.slow, as: "x.yaml")
      let killed = try Program.run(
        ["run", "x.yaml", "--out", "run", "--quiet"], in: scratch, mayBeKilled: true,
        haltingAt: Moment(file: "run/checkpoint.bin")
      ) { kill($0, SIGKILL) }
      #expect(killed.isKilled)
      try? FileManager.default.removeItem(
        at: scratch.folder.appendingPathComponent("run/checkpoint-previous.bin"))
    },
    Case(
      testDescription: "manifest.json", file: "run/manifest.json",
      commands: [
        ["inspect", "run"], short + ["--resume"],
        ["evaluate", "run", "--out", "e", "--set", "evaluation.sequences=100"],
      ],
      codes: [0, 1, 2, 3, 130]
    ) { scratch in
      try scratch.write(SmallExperiment.text, as: "x.yaml")
      #expect(try scratch.run("run", "x.yaml", "--out", "run", "--quiet").code == 0)
    },
    Case(
      testDescription: "ledger.jsonl", file: "s/ledger.jsonl",
      commands: [
        ["sweep", "status", "s"], ["sweep", "run", "s", "--quiet", "--budget", "2s"],
        ["sweep", "collect", "s"],
      ], codes: [0, 1, 2, 130]
    ) { scratch in
      try scratch.write(
        SmallExperiment.text + "sweep: [{key: initial.scale, from: 0.01, to: 0.02, count: 4}]\n",
        as: "x.yaml")
      #expect(try scratch.run("sweep", "plan", "x.yaml", "--out", "s").code == 0)
      #expect(try scratch.run("sweep", "run", "s", "--quiet", "--index", "2").code == 0)
    },
  ]

  @Test(arguments: cases) func changedFilesAreReadOrRefused(_ kind: Case) throws {
    let scratch = try Scratch()
    try kind.prepare(scratch)
    let original = [UInt8](try scratch.data(kind.file))
    let count = ProcessInfo.processInfo.count("GRADFLOW_MUTANT_FILES", default: 30)
    let whole: [UInt8]? =
      if kind.file == "run/checkpoint.bin" {
        try {
          #expect(try scratch.run("run", "x.yaml", "--out", "whole", "--quiet").code == 0)
          return [UInt8](try scratch.data("whole/trajectory.csv"))
        }()
      } else { nil }
    let tally = HostileTally()
    hostileTrials(count, in: scratch) { trial, program in
      let seed = UInt64(HostileExperimentTests.seed + trial)
      var random = SeededRandom(seed)
      var bytes = original
      // The first is as it was, and is read.
      let how =
        trial == 0 ? "" : FileMutation.mutate(&bytes, isText: kind.isText, &random)
      let isSigned = kind.file.hasSuffix("checkpoint.bin") && Bool.random(using: &random)
      if isSigned, bytes.count > 65 {
        // With a checksum that fits, what is behind it is looked at.
        let digest = SHA256.hash(data: bytes[65...]).map { String(format: "%02x", $0) }.joined()
        bytes.replaceSubrange(0..<65, with: Array((digest + "\n").utf8))
      }
      for name in (try? scratch.names()) ?? [] where !name.hasPrefix("worker") {
        try? FileManager.default.copyItem(
          atPath: scratch.folder.appendingPathComponent(name).path,
          toPath: "\(program.folder)/\(name)")
      }
      program.write(bytes, to: kind.file)
      for command in kind.commands {
        let result = program.run(command, limit: 60)
        var fault = result.fault(allowing: trial == 0 ? [0, 3, 130] : kind.codes)
        if fault == nil, kind.file == "run/checkpoint.bin" {
          fault = program.lie(of: "run", after: result, wasThere: true)
          // One that is damaged is passed over, and the run is the one that it would have been.
          if !isSigned, result.code == 0, trial > 0, program.contents("run/trajectory.csv") != whole
          {
            fault = "other bytes"
          }
        }
        tally.count(
          result, fault: fault,
          of: "\(kind.testDescription), \(command.joined(separator: " ")), seed \(seed): \(how)",
          reading: bytes)
      }
      for name in program.names() { program.remove(name) }
    }
    print("\(kind.testDescription), \(tally.description)")
    #expect(tally.faults.isEmpty, "\(tally.faults.joined(separator: "\n\n"))")
  }
}

/// A change of the bytes of any file.
enum FileMutation {
  /// Numbers that readers meet at their limits.
  private static let words: [UInt64] = [
    0, 1, 2, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 32, 1 << 62, (1 << 63) - 1, 1 << 63, .max, .max - 7,
    Double.nan.bitPattern, Double.infinity.bitPattern, 1e300.bitPattern, (-1.0).bitPattern,
  ]
  private static let numbers = [
    "-1", "0", "1e400", "nan", "inf", "3", "256", "9999999999999999999", "1e-400", "0.1", "-0.0",
    "true", "null",
    "\"\"", "[]", "{}", "\"x\"", "1.5", "2147483648", "1", "2", "1", "2", "0",
  ]

  static func mutate(_ bytes: inout [UInt8], isText: Bool, _ random: inout SeededRandom) -> String {
    var how: [String] = []
    for _ in 0..<random.element(of: [1, 1, 2, 3]) {
      switch Int.random(in: 0..<4, using: &random) {
      case 0 where isText:
        let digits = bytes.indices.filter { (48...57).contains(bytes[$0]) }
        guard let place = digits.randomElement(using: &random) else { continue }
        bytes[place] = UInt8.random(in: 48...57, using: &random)
        how.append("digit at \(place)")
      case 1 where isText:
        // A number, or what looks like one, becomes another.
        let digits = bytes.indices.filter { (48...57).contains(bytes[$0]) }
        guard let place = digits.randomElement(using: &random) else { continue }
        var end = place
        while end < bytes.count, (48...57).contains(bytes[end]) || bytes[end] == 46 { end += 1 }
        let number = random.element(of: numbers)
        bytes.replaceSubrange(place..<end, with: Array(number.utf8))
        how.append("\(number) at \(place)")
      case 2 where bytes.count > 300:
        let word = random.element(of: words)
        let place =
          isText
          ? Int.random(in: 0..<bytes.count - 8, using: &random)
          : bytes.count - 8 * Int.random(in: 1...bytes.count / 8 - 12, using: &random)
        withUnsafeBytes(of: word) { bytes.replaceSubrange(place..<place + 8, with: $0) }
        how.append("word \(word) at \(place)")
      default:
        how.append(random.element(of: TextMutation.allCases).apply(to: &bytes, &random))
      }
    }
    return how.joined(separator: "; ")
  }
}

extension Scratch {
  /// Writes an `.npy` file of version 1.
  fileprivate func writeArray<Element>(
    _ type: String, shape: String, _ elements: [Element], as name: String
  ) throws {
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }"
    header += String(repeating: " ", count: 64 - (header.count + 11) % 64) + "\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0])
    data += [UInt8(header.utf8.count % 256), UInt8(header.utf8.count / 256)]
    data += Data(header.utf8)
    elements.withUnsafeBytes { data += Data($0) }
    try data.write(to: folder.appendingPathComponent(name))
  }
}
