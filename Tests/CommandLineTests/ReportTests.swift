import Foundation
import Testing

/// `gradflow report` hands over to Python: which one, with what, and what is said where there is none.
@Suite struct ReportTests {
  /// A program in the place of Python that shows what it is given.
  private func scratch() throws -> Scratch {
    let scratch = try Scratch()
    try scratch.write(
      "#!/bin/sh\nprintf '%s\\n' \"PYTHONPATH=$PYTHONPATH\" \"$@\"\nexit 2\n", as: "python")
    chmod(scratch.folder.appendingPathComponent("python").path, 0o755)
    return scratch
  }

  @Test func argumentsAndTheExitCodeAreThoseOfThePage() throws {
    let scratch = try scratch()
    let result = try scratch.run(
      "report", "a b", "--out", "x.html", "--partial", "--", "-c",
      shell: "GRADFLOW_PYTHON=./python PYTHONPATH=:mine: exec \"$0\" \"$@\"")
    #expect(result.code == 2 && result.errors.isEmpty, "\(result)")
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(
      lines.suffix(5) == ["--out=x.html", "--partial", "--", "a b", "-c"]
        && lines[1] == "-P", "\(lines)")
    #expect(lines[0].hasSuffix("/plots:mine"), "\(lines[0])")
  }

  /// A Python without the packages says so, and files beside the user are no modules.
  @Test func whatIsMissingInPythonIsSaid() throws {
    let scratch = try Scratch()
    try scratch.write("raise SystemExit(9)\n", as: "statistics.py")
    try scratch.write("raise SystemExit(9)\n", as: "gradflow_plots.py")
    let result = try scratch.run(
      "report", "a",
      shell:
        "python3 -m venv --without-pip bare && GRADFLOW_PYTHON=./bare/bin/python exec \"$0\" \"$@\""
    )
    #expect(result.code == 2 && result.errors.contains("What to do: run `make .venv"), "\(result)")
    #expect(!result.errors.contains("Traceback"))
  }

  @Test func aPythonThatIsNotThereIsNamed() throws {
    let scratch = try scratch()
    for name in ["./nothing", ".", "no-such-python"] {
      let result = try scratch.run(
        "report", "a", shell: "GRADFLOW_PYTHON=\(name) exec \"$0\" \"$@\"")
      #expect(result.code == 2 && result.output.isEmpty)
      #expect(
        result.errors.contains("GRADFLOW_PYTHON: found \(name)")
          && result.errors.contains("What to do: "), "\(result.errors)")
    }
  }
}
