import ArgumentParser

/// A time that a command may take: `90s`, `30m`, `2h`.
struct TimeBudget: ExpressibleByArgument {
  private let end: ContinuousClock.Instant

  init?(argument: String) {
    let units = ["s": 1.0, "m": 60, "h": 3600]
    guard let parts = argument.wholeMatch(of: #/([0-9]+(?:\.[0-9]+)?)([smh])/#),
      let count = Double(parts.1), let unit = units[String(parts.2)], count > 0, count < 1e9
    else { return nil }
    end = .now + .seconds(count * unit)
  }

  /// Whether the time is over; it runs from the start of the program.
  var isOver: Bool { ContinuousClock.now >= end }
}
