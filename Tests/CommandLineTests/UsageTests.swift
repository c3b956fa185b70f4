import Foundation
import Testing

@Suite struct UsageTests {
  @Test(arguments: [
    ["frobnicate"], ["--frobnicate"], ["run"], ["run", "x.yaml", "y.yaml"],
    ["run", "x.yaml", "--frob"], ["run", "x.yaml", "--threads"], ["run", "x.yaml", "--set"],
    ["run", "x.yaml", "--threads", "0"], ["run", "x.yaml", "--threads", "-1"],
    ["run", "x.yaml", "--threads", "two"], ["run", "x.yaml", "--threads", "1025"],
    ["run", "x.yaml", "--threads", "99999999999999999999"], ["run", "x.yaml", "--out"],
    ["information"], ["information", "x.yaml", "--chains", "x"], ["inspect"], ["approximate"],
    ["approximate", "x.yaml", "--threads", "0"], ["approximate", "x.yaml", "--check"],
    ["inspect", "a", "b"], ["new"], ["new", ""], ["new", "folder/"],
  ])
  func misuseIsExplained(arguments: [String]) throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    let result = try Program.run(arguments, in: scratch)
    #expect(result.code == 2)
    #expect(result.output == "")
    #expect(result.errors.hasPrefix("Error: "))
    #expect(result.errors.contains("Usage: gradflow"))
    #expect(try scratch.names() == ["x.yaml"])
  }

  @Test func threadsOutOfRangeAreNamed() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    let result = try scratch.run("run", "x.yaml", "--threads", "0")
    #expect(result.errors.contains("--threads takes a whole number from 1 to 1024, not 0."))
  }

  @Test(arguments: [[], ["run"], ["information"], ["approximate"], ["inspect"], ["new"]])
  func helpIsThereAtEveryLevel(command: [String]) throws {
    let scratch = try Scratch()
    for form in [command + ["--help"], command + ["-h"], ["help"] + command] {
      let result = try Program.run(form, in: scratch)
      #expect(result.code == 0)
      #expect(result.errors == "")
      #expect(result.output.contains("USAGE: gradflow \(command.joined(separator: " "))"))
      #expect(result.output.contains("--help"))
    }
    #expect(try scratch.names() == [])
  }

  @Test func helpNamesEveryOptionAndTheExitCodes() throws {
    let scratch = try Scratch()
    let options = try scratch.run("run", "--help").output
    for option in ["--out", "--set", "--threads", "--quiet", "--export-corpus", "--check"] {
      #expect(options.contains(option))
    }
    let root = try scratch.run("--help").output
    for part in ["Exit codes", "130", "run", "information", "approximate", "inspect", "new"] {
      #expect(root.contains(part))
    }
    #expect(try scratch.run("--version").output.contains("."))
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func shellsGetTheirCompletion(shell: String) throws {
    let scratch = try Scratch()
    let result = try scratch.run("--generate-completion-script", shell)
    #expect(result.code == 0 && result.errors.isEmpty)
    for word in ["phase-plane", "report", "data.concentration", "yaml"] {
      #expect(result.output.contains(word), "\(word)")
    }
    // No shell but bash is on every machine.
    guard shell == "bash" else { return }
    try scratch.write(result.output, as: "completion")
    let offered = try scratch.run(
      shell: """
        bash -c '. ./completion
        COMP_WORDS=(gradflow ver) COMP_CWORD=1 COMP_LINE="gradflow ver" COMP_POINT=12
        _gradflow gradflow ver gradflow; echo "${COMPREPLY[@]}"'
        """)
    #expect(offered.output.contains("verify"), "\(offered)")
  }

  /// Colours only where there is a terminal that wants them, and nothing is told by colour alone.
  @Test func coloursAreForTerminals() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text + "claims: [G1]\n", as: "x.yaml")
    func output(_ setting: String) throws -> String {
      let result = try scratch.run(
        shell: "\(setting) script -qec \"$0 run x.yaml --quiet\" /dev/null </dev/null")
      #expect(result.code == 0, "\(result)")
      return result.output
    }
    let green = "\u{1B}[32mholds\u{1B}[0m"
    let coloured = try output("env -u NO_COLOR TERM=xterm")
    #expect(coloured.contains(green))
    for setting in ["env TERM=xterm NO_COLOR=1", "env -u NO_COLOR TERM=dumb"] {
      let plain = try output(setting)
      #expect(!plain.contains("\u{1B}["), "\(setting)")
      #expect(plain.contains("holds"))
    }
    #expect(try !scratch.run("run", "x.yaml", "--quiet").output.contains("\u{1B}"))
  }

  @Test func newWritesAnExperimentThatRuns() throws {
    let scratch = try Scratch()
    let result = try scratch.run("new", "first")
    #expect(result.code == 0)
    #expect(result.output.contains("gradflow run first.yaml"))
    #expect(try scratch.text("first.yaml").hasPrefix("# Which question does first.yaml answer?\n"))
    #expect(try scratch.run("run", "first.yaml", "--check").code == 0)
    let again = try scratch.run("new", "first.yaml")
    #expect(again.code == 2)
    #expect(again.errors.contains("first.yaml: the file exists. What to do: choose another name."))
    #expect(try scratch.run("new", "a/b").code == 2)
    #expect(try scratch.names() == ["first.yaml"])
  }

  @Test func checkSaysSizesAndWritesNothing() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    let result = try scratch.run("run", "x.yaml", "--check", "--out", "a/b")
    #expect(result.code == 0)
    #expect(result.errors == "")
    for part in [
      "The experiment is valid.", "200 of length 30", "parameters        16", "memory",
      "selection, copying, classification",
    ] { #expect(result.output.contains(part)) }
    #expect(try scratch.names() == ["x.yaml"])
    let bad = try scratch.run("run", "x.yaml", "--check", "--set", "data.sequences=0")
    #expect(bad.code == 2)
    let large = try scratch.run("run", "x.yaml", "--check", "--set", "data.sequences=1e15")
    #expect(large.code == 2)
    #expect(large.errors.contains("the memory available"))
  }
}
