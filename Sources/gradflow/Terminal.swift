import Foundation

/// The terminal, if there is one.
enum Terminal {
  /// Whether progress can be drawn over itself.
  static var isInteractive: Bool {
    isatty(FileHandle.standardError.fileDescriptor) == 1
      && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  /// Whether what is printed is in colour: on a terminal, unless NO_COLOR says otherwise.
  static let isColoured: Bool = {
    let environment = ProcessInfo.processInfo.environment
    return isatty(STDOUT_FILENO) == 1 && environment["TERM"] != "dumb"
      && (environment["NO_COLOR"] ?? "").isEmpty
  }()

  /// What a word says; never told by its colour alone.
  enum Tone: String {
    case good = "32"
    case bad = "1;31"
    case faint = "2"
  }

  /// The width of the terminal in columns.
  static var width: Int {
    var size = winsize()
    let known = ioctl(FileHandle.standardError.fileDescriptor, UInt(TIOCGWINSZ), &size) == 0
    return known && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  /// Writes to standard error; a run does not fail because nobody reads what it says.
  static func note(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }

  /// Writes an error message.
  static func error(_ message: String, prefix: String = "gradflow: ") {
    note(prefix + message.printable + "\n")
  }
}

extension Double {
  /// A few digits, for people.
  func formatted(digits: Int) -> String { String(format: "%.\(digits)g", self) }

  /// A loss: seven decimals, or as many digits where it is small.
  var asLoss: String { String(format: abs(self) < 1e-3 ? "%.4e" : "%.7f", self) }
}

extension String {
  /// The text without what a terminal would obey: files may come from anybody.
  var printable: String {
    unicodeScalars.reduce(into: "") { text, scalar in
      let isControl = scalar.properties.generalCategory == .control
      text +=
        isControl && scalar != "\n" && scalar != "\t" ? scalar.escaped(asASCII: true) : "\(scalar)"
    }
  }

  /// In the colour of a tone, where colours are shown.
  func toned(_ tone: Terminal.Tone) -> String {
    Terminal.isColoured ? "\u{1B}[\(tone.rawValue)m\(self)\u{1B}[0m" : self
  }

  /// Padded on the right to a width.
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - count))
  }

  /// Padded on the left to a width.
  func aligned(to width: Int) -> String {
    String(repeating: " ", count: Swift.max(0, width - count)) + self
  }
}
