/// When two window pairs (ω, q) count as one.
public enum PairIdentity: Sendable, Hashable {
  /// When both windows are equal.
  case distinct
  /// When one renaming of the tokens turns both windows of one pair into those of the other.
  ///
  /// Enough for every model that compares tokens and knows none by name: its k(ω, q) is the same for
  /// both, and with N(ω) added up over such ω the loss stays as it is. Each pair is stood for by the
  /// one whose tokens, read through q and then through ω, first occur in the order 0, 1, 2, …
  case upToRelabelling
}

/// Renames the tokens of window pairs into the order of their first occurrence.
struct Relabelling {
  private let columns: Int
  /// Symbols of a window's column, of which those from d on are no tokens and keep their name.
  private let symbols: UInt64
  /// The new name of each symbol, or −1.
  private var names: [Int32]
  /// The tokens that have a name, in its order; and how many of them the query names.
  private var named: [Int] = []
  private var namedByQuery = 0

  init(shape: WindowShape) {
    columns = shape.lags.count
    symbols = UInt64(shape.symbols)
    names = [Int32](repeating: -1, count: shape.vocabulary) + [Int32(shape.vocabulary)]
  }

  /// The code that stands for a query; the keys that follow are renamed with it.
  mutating func query(_ code: UInt64) -> UInt64 {
    forget(from: 0)
    let renamed = rename(code)
    namedByQuery = named.count
    return renamed
  }

  /// The code that stands for a key of the last query.
  mutating func key(_ code: UInt64) -> UInt64 {
    let renamed = rename(code)
    forget(from: namedByQuery)
    return renamed
  }

  private mutating func forget(from first: Int) {
    while named.count > first { names[named.removeLast()] = -1 }
  }

  private mutating func rename(_ code: UInt64) -> UInt64 {
    var (rest, renamed, place) = (code, UInt64(0), UInt64(1))
    for _ in 0..<columns {
      let (others, symbol) = rest.quotientAndRemainder(dividingBy: symbols)
      if names[Int(symbol)] < 0 {
        names[Int(symbol)] = Int32(named.count)
        named.append(Int(symbol))
      }
      renamed += place &* UInt64(names[Int(symbol)])
      place &*= symbols
      rest = others
    }
    // What is left tells positions apart.
    return renamed &+ place &* rest
  }
}
