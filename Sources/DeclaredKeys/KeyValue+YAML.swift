extension KeyValue {
  /// The value in YAML's flow style, on one line, reading back to the same value.
  var yaml: String {
    switch self {
    case .integer(let value): "\(value)"
    case .real(let value): value.yaml
    case .boolean(let value): "\(value)"
    case .text(let value): value.yaml
    case .integers(let values): "[\(values.map(String.init).joined(separator: ", "))]"
    case .reals(let values): "[\(values.map(\.yaml).joined(separator: ", "))]"
    case .texts(let values): "[\(values.map(\.yamlValue).joined(separator: ", "))]"
    case .integerLists(let values):
      "[\(values.map { KeyValue.integers($0).yaml }.joined(separator: ", "))]"
    case .numbers(let entries):
      "{\(entries.map { "\($0.name.yaml): \($0.value.yaml)" }.joined(separator: ", "))}"
    case .mappings: "[]"
    }
  }
}

extension Double {
  /// The shortest text that reads back to the same number, here and in readers of YAML 1.1, which
  /// take 1e-08 for a word and 1.0e-08 for a number.
  var yaml: String {
    if isNaN { return ".nan" }
    if isInfinite { return self < 0 ? "-.inf" : ".inf" }
    let text = "\(self)"
    guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
    return text[..<exponent] + ".0" + text[exponent...]
  }
}

extension String {
  /// The text as a plain scalar where no reader can take it for anything else, otherwise quoted.
  var yaml: String {
    let isPlain =
      !isEmpty
      && unicodeScalars.allSatisfy {
        $0.isASCII
          && ($0.properties.isAlphabetic || ("0"..."9").contains($0)
            || "_-./+".unicodeScalars.contains($0))
      }
    let startsWell = unicodeScalars.first.map { $0.properties.isAlphabetic || $0 == "/" } ?? false
    let words: Set = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"]
    if isPlain, startsWell, !words.contains(lowercased()) { return self }
    var quoted = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\t": quoted += "\\t"
      default:
        let code = scalar.value
        if code < 0x20 || (0x7F...0xA0).contains(code) || (0xD800...0xFFFF).contains(code)
          || code == 0x2028 || code == 0x2029
        {
          let digits = String(code, radix: 16)
          quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          quoted.unicodeScalars.append(scalar)
        }
      }
    }
    return quoted + "\""
  }
}

extension String {
  /// The text as a scalar that reads back to it; a number without quotes.
  var yamlValue: String { NumberText(self) == nil ? yaml : self }
}

extension SourceNode {
  /// The node in YAML's flow style, on one line.
  var flow: String {
    switch content {
    case .nothing: "null"
    case .scalar(let text): text.yamlValue
    case .sequence(let elements): "[\(elements.map(\.flow).joined(separator: ", "))]"
    case .mapping(let entries):
      "{\(entries.map { "\($0.name.yaml): \($0.value.flow)" }.joined(separator: ", "))}"
    }
  }
}
