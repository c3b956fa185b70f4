/// The text of a number, taken apart without rounding: sign · digits · 10^exponent.
struct NumberText {
  private let isNegative: Bool
  private let digits: String
  private let exponent: Int

  /// `[+-] (digits [. digits] | . digits) [e [+-] digits]`, and nothing else.
  init?(_ text: String) {
    var rest = text.utf8[...]
    func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
    func take(_ bytes: [UInt8]) -> UInt8? {
      guard let first = rest.first, bytes.contains(first) else { return nil }
      return rest.popFirst()
    }
    func takeDigits() -> String {
      let taken = rest.prefix(while: isDigit)
      rest = rest.dropFirst(taken.count)
      return String(decoding: taken, as: UTF8.self)
    }
    isNegative = take(Array("+-".utf8)) == UInt8(ascii: "-")
    let whole = takeDigits()
    let fraction = take([UInt8(ascii: ".")]) == nil ? "" : takeDigits()
    guard !(whole.isEmpty && fraction.isEmpty) else { return nil }
    var power = 0
    if take(Array("eE".utf8)) != nil {
      let sign = take(Array("+-".utf8)) == UInt8(ascii: "-") ? -1 : 1
      let powerDigits = takeDigits()
      guard !powerDigits.isEmpty else { return nil }
      // Nine digits are far beyond any Double or Int, and sums with text lengths cannot overflow.
      let significant = powerDigits.drop { $0 == "0" }
      power = sign * (significant.count > 9 ? 1_000_000_000 : Int(significant) ?? 0)
    }
    guard rest.isEmpty else { return nil }
    digits = String((whole + fraction).drop { $0 == "0" })
    exponent = power - fraction.utf8.count
  }

  /// Whether the number is whole, however large.
  var isWhole: Bool {
    if digits.isEmpty || exponent >= 0 { return true }
    let zeros = digits.reversed().prefix { $0 == "0" }.count
    return zeros >= -exponent
  }

  /// The number as an Int, exactly; nil if it is not whole or does not fit.
  var integer: Int? {
    guard isWhole else { return nil }
    guard !digits.isEmpty else { return 0 }
    let count = digits.utf8.count + exponent
    guard count <= 19 else { return nil }
    let text =
      exponent >= 0
      ? digits + String(repeating: "0", count: exponent) : String(digits.prefix(count))
    return Int((isNegative ? "-" : "") + text)
  }

  /// The nearest Double; infinite if the number is too large.
  var real: Double {
    let magnitude =
      digits.isEmpty ? 0 : Double(digits + "e\(exponent)") ?? (exponent > 0 ? .infinity : 0)
    return isNegative ? -magnitude : magnitude
  }
}

extension Double {
  /// The words for numbers that are not finite, as YAML and others write them.
  init?(nonFinite text: String) {
    switch text.lowercased() {
    case ".inf", "+.inf", "inf", "+inf", "infinity", "+infinity": self = .infinity
    case "-.inf", "-inf", "-infinity": self = -.infinity
    case ".nan", "nan", "+nan", "-nan": self = .nan
    default: return nil
    }
  }
}
