import ArgumentParser
import Foundation
import RunRecords

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
    let python = try PlotsPackage.python()
    // -P: modules in the folder that it is called from are none of ours.
    var words = ["-P", "-c", Self.program]
    if let out { words += ["--out=\(out)"] }
    if partial { words.append("--partial") }
    words += ["--"] + runs
    try python.become(words)
  }
}

/// A Python that has the package of the figures.
struct PlotsPackage {
  /// The interpreter.
  let interpreter: String
  /// A folder for PYTHONPATH; nil where the interpreter finds the package itself.
  let folder: String?

  /// The Python that `GRADFLOW_PYTHON` names, that of the checkout this program was built in, or the `python3` that has the
  /// package installed.
  ///
  /// - Returns: the first there is.
  /// - Throws: `Failure` that says what to do.
  static func python() throws -> PlotsPackage {
    let folder = checkout.map { $0 + "/plots" }
    if let named = ProcessInfo.processInfo.environment["GRADFLOW_PYTHON"], !named.isEmpty {
      guard let interpreter = program(named) else {
        throw Failure(
          code: Exit.badInput,
          message:
            "GRADFLOW_PYTHON: found \(named); allowed: a program. What to do: name a Python, "
            + "such as /usr/bin/python3, or unset it.")
      }
      return PlotsPackage(interpreter: interpreter, folder: folder)
    }
    if let checkout, let interpreter = program(checkout + "/.venv/bin/python") {
      return PlotsPackage(interpreter: interpreter, folder: folder)
    }
    if folder == nil, let interpreter = program("python3") {
      return PlotsPackage(interpreter: interpreter, folder: nil)
    }
    throw Failure(
      code: Exit.badInput,
      message: "the report is made in Python, which is not there. What to do: "
        + (checkout.map { "make -C \($0.shellWord) .venv/complete" } ?? "install python3")
        + ", or name a Python that has matplotlib and pandas in GRADFLOW_PYTHON.")
  }

  /// Goes on as that Python, with the same files and signals.
  ///
  /// - Parameter words: the arguments of the interpreter.
  /// - Throws: `Failure` when it cannot be started.
  func become(_ words: [String]) throws {
    if let folder {
      let inherited = ProcessInfo.processInfo.environment["PYTHONPATH"].map { ":" + $0 } ?? ""
      setenv("PYTHONPATH", folder + inherited, 1)
    }
    // Ignored signals stay ignored in what takes the place of a program.
    for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_DFL) }
    var arguments = ([interpreter] + words).map { strdup($0) }
    arguments.append(nil)
    execv(interpreter, arguments)
    let reason = String(cString: strerror(errno))
    for argument in arguments { free(argument) }
    throw Failure(
      code: Exit.badInput,
      message:
        "\(interpreter): cannot be started: \(reason). What to do: name a Python in GRADFLOW_PYTHON."
    )
  }

  /// The folder above this program that holds the package.
  private static var checkout: String? {
    var folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      let package = folder.appending(path: "plots/gradflow_plots/__init__.py")
      if FileManager.default.fileExists(atPath: package.path) { return folder.path }
    }
    return nil
  }

  /// A program, by its path or by its name in PATH.
  private static func program(_ name: String) -> String? {
    let folders =
      name.contains("/")
      ? [""]
      : (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { $0 + "/" }
    return folders.map { $0 + name }.first { path in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        && !isFolder.boolValue && FileManager.default.isExecutableFile(atPath: path)
    }
  }
}
