// The declaration language: one function per type of key.

extension Key where Value == Int {
  /// Declares a whole number.
  public static func integer(
    _ path: String, _ range: IntegerRange, unit: String? = nil, default fallback: KeyFallback<Int>,
    sample: String? = nil, _ meaning: String
  ) -> Key {
    Key(
      path, .integer(range), unit: unit, default: fallback.erased { .integer($0) }, sample: sample,
      meaning,
      decode: { if case .integer(let value) = $0 { value } else { nil } },
      encode: { .integer($0) })
  }
}

extension Key where Value == Double {
  /// Declares a real number.
  public static func real(
    _ path: String, _ range: RealRange, unit: String? = nil, default fallback: KeyFallback<Double>,
    sample: String? = nil, _ meaning: String
  ) -> Key {
    Key(
      path, .real(range), unit: unit, default: fallback.erased { .real($0) }, sample: sample,
      meaning,
      decode: { if case .real(let value) = $0 { value } else { nil } },
      encode: { .real($0) })
  }
}

extension Key where Value == Bool {
  /// Declares a key that is true or false.
  public static func boolean(
    _ path: String, unit: String? = nil, default fallback: KeyFallback<Bool>,
    sample: String? = nil, _ meaning: String
  ) -> Key {
    Key(
      path, .boolean, unit: unit, default: fallback.erased { .boolean($0) }, sample: sample,
      meaning,
      decode: { if case .boolean(let value) = $0 { value } else { nil } },
      encode: { .boolean($0) })
  }
}

extension Key where Value == String {
  /// Declares a name: a letter, then letters, digits, `_` or `-`.
  public static func identifier(
    _ path: String, unit: String? = nil, default fallback: KeyFallback<String>,
    sample: String? = nil, _ meaning: String
  ) -> Key {
    Key(
      path, .identifier, unit: unit, default: fallback.erased { .text($0) }, sample: sample,
      meaning,
      decode: { if case .text(let value) = $0 { value } else { nil } },
      encode: { .text($0) })
  }
  /// Declares text that is not empty.
  public static func string(
    _ path: String, unit: String? = nil, default fallback: KeyFallback<String>,
    sample: String? = nil, _ meaning: String
  ) -> Key {
    Key(
      path, .string, unit: unit, default: fallback.erased { .text($0) }, sample: sample,
      meaning,
      decode: { if case .text(let value) = $0 { value } else { nil } },
      encode: { .text($0) })
  }
  /// Declares the path of a file.
  public static func file(
    _ path: String, unit: String? = nil, default fallback: KeyFallback<String>,
    sample: String? = nil, _ meaning: String
  ) -> Key {
    Key(
      path, .file, unit: unit, default: fallback.erased { .text($0) }, sample: sample,
      meaning,
      decode: { if case .text(let value) = $0 { value } else { nil } },
      encode: { .text($0) })
  }
}

extension Key where Value == [Int] {
  /// Declares a list of whole numbers.
  public static func integers(
    _ path: String, _ range: IntegerRange, _ rule: ListRule = [], unit: String? = nil,
    default fallback: KeyFallback<[Int]>,
    sample: String? = nil, _ meaning: String
  ) -> Key {
    Key(
      path, .integers(range, rule), unit: unit, default: fallback.erased { .integers($0) },
      sample: sample,
      meaning,
      decode: { if case .integers(let value) = $0 { value } else { nil } },
      encode: { .integers($0) })
  }
}

extension Key where Value == [Double] {
  /// Declares a list of real numbers.
  public static func reals(
    _ path: String, _ range: RealRange, _ rule: ListRule = [], unit: String? = nil,
    default fallback: KeyFallback<[Double]>,
    sample: String? = nil, _ meaning: String
  ) -> Key {
    Key(
      path, .reals(range, rule), unit: unit, default: fallback.erased { .reals($0) },
      sample: sample,
      meaning,
      decode: { if case .reals(let value) = $0 { value } else { nil } },
      encode: { .reals($0) })
  }
}

extension Key where Value == [[Int]] {
  /// Declares a list of lists of whole numbers; the rule holds for each inner list.
  public static func integerLists(
    _ path: String, _ range: IntegerRange, _ rule: ListRule = [], unit: String? = nil,
    default fallback: KeyFallback<[[Int]]>,
    sample: String? = nil, _ meaning: String
  ) -> Key {
    Key(
      path, .integerLists(range, rule), unit: unit, default: fallback.erased { .integerLists($0) },
      sample: sample,
      meaning,
      decode: { if case .integerLists(let value) = $0 { value } else { nil } },
      encode: { .integerLists($0) })
  }
}

extension Key where Value == [NamedNumber] {
  /// Declares a mapping from free names to real numbers.
  public static func numbers(
    _ path: String, _ range: RealRange, unit: String? = nil,
    default fallback: KeyFallback<[NamedNumber]>,
    sample: String? = nil, _ meaning: String
  ) -> Key {
    Key(
      path, .numbers(range), unit: unit, default: fallback.erased { .numbers($0) }, sample: sample,
      meaning,
      decode: { if case .numbers(let value) = $0 { value } else { nil } },
      encode: { .numbers($0) })
  }
}

extension Key where Value == [String] {
  /// Declares a list of values of any kind, each kept as a text that reads as YAML.
  ///
  /// A quoted text is taken as it would be after `--set`: `"[1, 2]"` and `[1, 2]` are the same.
  public static func values(
    _ path: String, _ rule: ListRule = [], unit: String? = nil,
    default fallback: KeyFallback<[String]>,
    sample: String? = nil, _ meaning: String
  ) -> Key {
    Key(
      path, .values(rule), unit: unit, default: fallback.erased { .texts($0) }, sample: sample,
      meaning,
      decode: { if case .texts(let value) = $0 { value } else { nil } },
      encode: { .texts($0) })
  }
}

extension Key where Value == KeyList {
  /// Declares a list of mappings; its elements' keys are declared as `path[].key`.
  public static func mappings(
    _ path: String, _ rule: ListRule = [], unit: String? = nil,
    default fallback: KeyFallback<KeyList>,
    sample: String? = nil, _ meaning: String
  ) -> Key {
    Key(
      path, .mappings(rule), unit: unit, default: fallback.erased { .mappings(count: $0.count) },
      sample: sample,
      meaning,
      decode: { if case .mappings(let value) = $0 { KeyList(count: value) } else { nil } },
      encode: { .mappings(count: $0.count) })
  }
}

extension Key where Value: KeyChoice {
  /// Declares one of the words of an enumeration.
  public static func choice(
    _ path: String, unit: String? = nil, default fallback: KeyFallback<Value>,
    sample: String? = nil, _ meaning: String
  ) -> Key {
    Key(
      path, .choice(Value.words), unit: unit, default: fallback.erased { .text($0.rawValue) },
      sample: sample,
      meaning,
      decode: { if case .text(let value) = $0 { Value(rawValue: value) } else { nil } },
      encode: { .text($0.rawValue) })
  }
}

extension Key {
  /// Declares a list of words of an enumeration.
  public static func choices<Choice: KeyChoice>(
    _ path: String, _ rule: ListRule = [], unit: String? = nil,
    default fallback: KeyFallback<[Choice]>,
    sample: String? = nil, _ meaning: String
  ) -> Key where Value == [Choice] {
    Key(
      path, .choices(Choice.words, rule), unit: unit,
      default: fallback.erased { .texts($0.map(\.rawValue)) }, sample: sample,
      meaning,
      decode: {
        if case .texts(let value) = $0 { value.compactMap(Choice.init(rawValue:)) } else { nil }
      },
      encode: { .texts($0.map(\.rawValue)) })
  }
}
