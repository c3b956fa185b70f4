import Foundation
import Testing

/// Disks that fill up at any point, and that take nothing.
///
/// In mounts of their own, which only root may make; a limit on the size of files is tested by everybody
/// (`ResumeTests`, `OutputFolderTests`).
@Suite(.serialized, .enabled(if: OutputFolderTests.canMount, "needs root and mounts"))
struct HostileDiskTests {
  /// A command that writes, and what is left to be done where the disk was full.
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// What is done on the disk before it has its size, from the folder around it: `m` is the disk.
    var before = ":"
    let command: String
    /// What is done when there is room; the same as before, for most.
    var again: String?
    /// Where results are, inside the disk.
    var results = "run"
    /// The room on the disk, in KiB, beyond what stands there before.
    let sizes: [Int]
    /// The files and folders that it may hold beyond what stands there before, on disks with room.
    var files: [Int] = []

    /// Options of mounts with those limits, where `$used` and `$files` are what is taken.
    var limits: [String] {
      sizes.map { "size=$((used + \($0) + 1))k" } + files.map { "nr_inodes=$((files + \($0)))" }
    }
  }

  static let cases = [
    Case(
      testDescription: "run", command: "run x.yaml --out m/run --quiet --resume",
      sizes: [0, 4, 8, 12, 16, 24, 32, 48, 64, 80, 96, 128, 160, 200, 240, 320],
      files: [0, 1, 2, 3, 4, 5, 6, 8]),
    Case(
      testDescription: "several runs", command: "run many.yaml --out m/run --quiet --resume",
      sizes: [4, 8, 16, 24, 32, 48, 64, 100, 160, 240, 300, 360, 420, 500]),
    Case(
      testDescription: "sweep run",
      before: "\"$0\" sweep plan many.yaml --out m/run >plan.log",
      command: "sweep run m/run --quiet", sizes: [0, 4, 12, 24, 48, 100, 200, 300, 400, 480],
      files: [0, 1, 2, 4, 8, 12, 20]),
    Case(
      testDescription: "sweep plan and collect", command: "sweep plan many.yaml --out m/run",
      again: "sweep collect m/run", sizes: [0, 4, 8, 12, 16, 20, 24]),
    Case(
      testDescription: "sweep collect",
      before:
        "\"$0\" sweep plan many.yaml --out m/run >plan.log; \"$0\" sweep run m/run --quiet >run.log",
      command: "sweep collect m/run", sizes: [0, 2, 4, 6, 8]),
    Case(
      testDescription: "information",
      command: "information x.yaml --chains 300 --csv m/sets.csv --chains-csv m/chains.csv",
      results: ".", sizes: [0, 4, 16, 64, 100]),
    Case(
      testDescription: "phase-plane",
      command: "phase-plane x.yaml --out m/run --quiet --x share.1+2 --x-from 0.05 --x-to 0.4 "
        + "--y share.1 --y-from 0.05 --y-to 0.4 --grid 9",
      sizes: [0, 4, 8, 16, 24, 32, 48]),
    Case(testDescription: "new", command: "new m/n.yaml", results: ".", sizes: [0, 4, 8, 16]),
  ]

  /// Whatever did not fit is told, nothing is there by halves, and with more room the same command gives all of it.
  @Test(arguments: cases) func fullDisksLoseNothing(_ kind: Case) throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    try scratch.write(
      SmallExperiment.text + "replicates: 2\nsweep: [{key: initial.scale, values: [0.01, 0.02]}]\n",
      as: "many.yaml")
    let again = kind.again ?? kind.command
    // What fits everywhere.
    let whole = try scratch.run(
      shell: """
        exec unshare -m sh -c 'mkdir m && mount -t tmpfs -o size=100m tmpfs m && \(kind.before)
        "$0" \(kind.command) >log && { [ "\(again)" = "\(kind.command)" ] || "$0" \(again) >log; }
        code=$?; cp -a m/. whole; exit $code' "$0"
        """)
    #expect(whole.code == 0, "\(whole)")
    let expected = try scratch.files(in: "whole")
    #expect(!expected.isEmpty)
    var counts: [Int32: Int] = [:]
    for limit in kind.limits {
      let result = try scratch.run(
        shell: """
          exec unshare -m sh -c 'mount -t tmpfs -o size=100m tmpfs m && \(kind.before)
          used=$(df -k --output=used m | tail -n 1)
          files=$(df --output=iused m | tail -n 1)
          mount -o remount,\(limit) m || exit 90
          "$0" \(kind.command) >log; code=$?
          rm -rf part; cp -a m/. part
          mount -o remount,size=100m,nr_inodes=10000 m || exit 91
          if [ $code -ne 0 ] || [ "\(again)" != "\(kind.command)" ]; then
            case "\(kind.command)" in *" --out "*--resume|sweep\\ run*|sweep\\ collect*) ;; *) [ $code -eq 0 ] || rm -rf m/\(kind.results)/* m/run;; esac
            [ $code -eq 0 ] || [ "\(again)" = "\(kind.command)" ] || "$0" \(kind.command) >log || exit 92
            "$0" \(again) >log 2>again.log || { cat again.log >&2; exit 93; }
          fi
          rm -rf after; cp -a m/. after; exit $code' "$0"
          """)
      counts[result.code, default: 0] += 1
      #expect([0, 1, 2].contains(result.code), "\(limit): \(result)")
      if result.code != 0 {
        #expect(result.errors.contains("ENOSPC"), "\(limit): \(result)")
        #expect(result.errors.contains("Free some space"), "\(limit): \(result)")
      }
      // Files that are there are whole: those of runs are the final ones, or those of a run that failed.
      for (path, data) in try scratch.files(in: "part") {
        let name = path.split(separator: "/").last ?? ""
        #expect(!name.hasPrefix(".gradflow-"), "\(limit): \(path) is left")
        guard !name.hasPrefix("checkpoint"), name != ".lock" else { continue }
        if result.code == 0 || name == "experiment.yaml" || name == "ledger.jsonl" {
          #expect(data == expected[path.replacing("/.0", with: "/0")], "\(limit): \(path)")
        }
        let isWhole = data.last == UInt8(ascii: "\n") || !name.hasSuffix(".csv")
        #expect(isWhole, "\(limit): \(path) ends in the midst of a line")
      }
      let after = try scratch.files(in: "after")
      let isSame = after == expected
      #expect(isSame, "\(limit): \(after.keys.sorted()) \(expected.keys.sorted())")
      if kind.results == "run", result.code != 0,
        let state = try? scratch.state(of: "part/run")
      {
        #expect(state != "finished", "\(limit): says finished")
      }
    }
    print("\(kind.testDescription) on \(kind.limits.count) full disks: \(counts)")
    // They are not all large enough.
    #expect(counts.keys.contains { $0 != 0 })
  }

  /// What only reads does so on a disk that takes nothing; what writes says so, and where.
  @Test func readOnlyDisksAreReadAndNotWritten() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    try scratch.write(
      SmallExperiment.text + "sweep: [{key: initial.scale, values: [0.01, 0.02]}]\n",
      as: "many.yaml")
    let commands: [(String, Set<Int32>)] = [
      ("inspect m/run", [0]), ("sweep status m/s", [0]),
      ("run m/run/experiment.yaml --check", [0]),
      ("run m/run/experiment.yaml --out copy --quiet", [0]),
      ("evaluate m/run --out e --quiet --set evaluation.sequences=100", [0, 3]),
      ("run x.yaml --out m/new", [2]), ("run x.yaml --out m/run --resume", [2]),
      ("sweep plan many.yaml --out m/new", [2]), ("sweep run m/s --quiet", [1]),
      ("sweep collect m/s", [1]), ("new m/n.yaml", [2]),
      ("information x.yaml --chains 10 --csv m/sets.csv", [2]),
      (
        "phase-plane x.yaml --out m/p --x share.1 --x-from 0.1 --x-to 0.4 --y share.2 --y-from 0.1 --y-to 0.4",
        [2]
      ), ("compare x.yaml --out m/c", [2]),
    ]
    let script =
      commands.enumerated().map { "\"$0\" \($1.0) >\($0).out 2>\($0).errors; echo $? >\($0).code" }
      .joined(separator: "\n")
    let result = try scratch.run(
      shell: """
        exec unshare -m sh -c 'mkdir m && mount -t tmpfs tmpfs m &&
        "$0" run x.yaml --out m/run --quiet >log && "$0" sweep plan many.yaml --out m/s >log &&
        "$0" sweep run m/s --index 1 --quiet >log && mount -o remount,ro m || exit 90
        \(script)' "$0"
        """)
    #expect(result.code == 0, "\(result)")
    for (index, (command, codes)) in commands.enumerated() {
      let code = Int32(try scratch.text("\(index).code").dropLast()) ?? -1
      let errors = try scratch.text("\(index).errors")
      #expect(codes.contains(code), "\(command): \(code) \(errors)")
      if code != 0, code != 3 {
        #expect(errors.contains("EROFS") && errors.contains("read-only"), "\(command): \(errors)")
      }
    }
  }
}
