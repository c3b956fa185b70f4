import ArgumentParser
import Foundation

/// `gradflow report`: the program in Python that makes the page takes the place of this one.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Make one self-contained HTML page of run directories.",
    discussion: """
      Question, claims with verdicts, figures, phase times with error bars, solver quality, provenance, and how to \
      run it again; of runs, sweeps, planes and evaluations. The page is RUN/report.html, or report.html here for \
      several. It is made by the Python package in plots/: `make .venv/complete` prepares it, \
      GRADFLOW_PYTHON names another Python.
      """)

  @Argument(
    help: ArgumentHelp("Run directories, or folders of sweeps.", valueName: "run"),
    completion: .directory)
  var runs: [String]

  @Option(help: "The file to write.", completion: .file(extensions: ["html"]))
  var out: String?

  @Flag(help: "Also of runs that did not finish.")
  var partial = false

  /// What Python runs.
  private static let program = """
    import sys
    try:
        from gradflow_plots.report.__main__ import main
    except ImportError as error:
        sys.exit(print(f"gradflow: {sys.executable}: {error}. What to do: run `make .venv/complete` in the checkout "
            "of gradflow, or name a Python that has its packages in GRADFLOW_PYTHON.", file=sys.stderr) or 2)
    sys.exit(main())
    """

  func run() throws {
    let environment = ProcessInfo.processInfo.environment
    let named = environment["GRADFLOW_PYTHON"] ?? ""
    let own = Self.checkout.map { $0 + "/.venv/bin/python" } ?? "python3"
    let interpreter = named.isEmpty ? own : named
    if let checkout = Self.checkout {
      // An empty part would be the folder that it is called from.
      let inherited = (environment["PYTHONPATH"] ?? "").split(separator: ":").map(String.init)
      setenv("PYTHONPATH", (["\(checkout)/plots"] + inherited).joined(separator: ":"), 1)
    }
    // -P: modules in the folder that it is called from are none of ours.
    var words = [interpreter, "-P", "-c", Self.program]
    if let out { words.append("--out=\(out)") }
    if partial { words.append("--partial") }
    words += ["--"] + runs
    // Ignored signals stay ignored in what takes the place of a program.
    for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_DFL) }
    var arguments = words.map { strdup($0) }
    arguments.append(nil)
    execvp(interpreter, arguments)
    let reason = String(cString: strerror(errno))
    for argument in arguments { free(argument) }
    let key = named.isEmpty ? "Python" : "GRADFLOW_PYTHON"
    throw Failure(
      code: Exit.badInput,
      message: "\(key): found \(interpreter), which cannot be started (\(reason)); allowed: a "
        + "Python with matplotlib and pandas. What to do: run `make .venv/complete` in the checkout of "
        + "gradflow, or name another Python in GRADFLOW_PYTHON.")
  }

  /// The folder above this program that holds the package.
  private static let checkout: String? = {
    var folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      let package = folder.appending(path: "plots/gradflow_plots/__init__.py")
      if FileManager.default.fileExists(atPath: package.path) { return folder.path }
    }
    return nil
  }()
}
