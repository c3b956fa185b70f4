/// An enumeration whose raw values are the words a key allows.
public protocol KeyChoice: CaseIterable, RawRepresentable, Sendable, Hashable
where RawValue == String {}

extension KeyChoice {
  static var words: [String] { allCases.map(\.rawValue) }
}
