/// The value of a key, once its declared type has decided how the text is read.
public enum KeyValue: Sendable, Hashable {
  /// A whole number.
  case integer(Int)
  /// A real number.
  case real(Double)
  /// true or false.
  case boolean(Bool)
  /// A word, a path or any other text.
  case text(String)
  /// A list of whole numbers.
  case integers([Int])
  /// A list of real numbers.
  case reals([Double])
  /// A list of words.
  case texts([String])
  /// A list of lists of whole numbers.
  case integerLists([[Int]])
  /// A mapping from free names to real numbers, in the order of the document.
  case numbers([NamedNumber])
  /// A list of mappings: only their number; the elements have keys of their own.
  case mappings(count: Int)
}
