import Corpora
import InductionHeads
import MixedTargets
import Objectives

/// What a problem needs, known before anything is allocated: bounds, and an estimate of memory.
public struct ProblemSize: Sendable, Equatable {
  /// The longest sequence whose counts are exact in single precision, 2²⁴.
  public static let longestSequence = 1 << 24

  /// A size with its name, as people read them.
  public struct Row: Sendable, Equatable {
    /// For instance `sequences`.
    public let name: String
    /// For instance `10000 of length 100`.
    public let text: String
  }

  /// What there is most of, in words: `10000 sequences of length 100`.
  public let extent: String
  /// All sizes that are known beforehand.
  public let rows: [Row]
  /// About so many bytes in all, estimated high.
  public let bytes: Double
  /// Whether more than half of them are for a dense Hessian.
  public let isMostlyDense: Bool

  /// Bounds for a model on N sequences of length L.
  init(
    model: any WindowModel, settings: InductionHeadSettings, isDense: Bool, sequences: Int,
    length: Int
  ) {
    let n = Double(sequences)
    let d = Double(settings.data.vocabulary)
    let codes = model.windowShape.codeCount.map(Double.init) ?? .infinity
    let columns = settings.loss.targets == .expected || model.loss.seesEveryToken ? d : 1
    let entries = n * min(Double(length), codes)
    // As real numbers: lengths that no machine holds are refused later, with a message.
    let tokens = Double(length) + 1
    let windows = min(codes, n * tokens)
    // While compressing, an entry is held twice: with its code, and with its key. Then it is stored in
    // blocks of eight counts, in the worst case alone in each of its blocks.
    let countSize = length < 256 ? 1.0 : length < 65536 ? 2.0 : 4.0
    let blockBytes = max(2, columns) * (8 * countSize + 4)
    let entryBytes = (8 + 4 + 4 * columns) + max(4 + 4 + 4 * columns, blockBytes)
    // Features with adjoints and tangents for up to 16 lanes, symbols, tables.
    let width = Double(model.featureWidth)
    let lanes = max(2, min(16, Double(256 << 20) / (windows * width * 16)))
    let windowBytes =
      width * 8 * (3 + 2 * lanes) + Double(model.layout.count) * 3 + 64
      + 8 * 8 * Double(model.layerWidth)
    let pairs = min(entries, windows * windows)
    // Scratch of each lane over the keys of one group. The largest group is not known; one twenty
    // times the average is assumed.
    let slots = min(windows, 20 * Double(length) * max(1, n / codes))
    let subsets = Double(settings.model.subsetCount + 1)
    let count = Double(model.layout.count)
    let keyValues = 2 * subsets + 4 * Double(settings.model.heads) + width + 6
    // With the read-out's sums of eight per slot and, for Hessians, panels of sixteen chunks.
    let laneBytes =
      slots * 8 * (isDense ? keyValues + 3 * count + 8 : 2 * keyValues + 24)
      + (isDense ? 8 * (count * count + subsets * count + 256 * (columns + 2) * count) : 0)
    let solverBytes = isDense ? 5 * 8 * count * count : 8 * 40 * count
    var kernelBytes = 0.0
    var storedBytes = 0.0
    switch settings.data.source {
    case .chains(let chains):
      let rows = (0..<min(2000, chains.parents.count)).reduce(1.0) { product, _ in product * d }
      kernelBytes = rows * d * 24
      storedBytes = tokens
    case .population: break
    case .tokens:
      storedBytes = n * tokens
    }
    extent = "\(sequences) sequences of length \(length)"
    rows = [
      Row(name: "sequences", text: "\(sequences) of length \(length)"),
      Row(name: "parameters", text: "\(model.layout.count)"),
      Row(name: "distinct windows", text: "at most \(Self.count(windows))"),
      Row(name: "window counts", text: "at most \(Self.count(entries))"),
    ]
    let rest =
      entries * entryBytes + windows * windowBytes + pairs * 4 + n * (32 + 16 * columns)
      + kernelBytes + storedBytes + Self.shareBytes(model, settings)
    let hessianBytes = lanes * laneBytes + solverBytes
    bytes = rest + hessianBytes
    isMostlyDense = isDense && hessianBytes > rest
  }

  /// Tables of scores of all pairs of windows, from which the shares of a full transformer are taken: the flow's,
  /// those of the training beside it, and those of what people watch.
  private static func shareBytes(
    _ model: any WindowModel, _ settings: InductionHeadSettings
  ) -> Double {
    guard settings.model.layers != nil else { return 0 }
    let pairs =
      LearnedShares.pairCount(vocabulary: model.vocabulary, window: model.window) ?? .max
    let blocks = settings.model.isPolynomial ? settings.model.comparedHeads : 1
    return 3 * Double(pairs) * Double(8 * (blocks + 2) + 2)
  }

  /// Bounds for a model on K chains in infinite context.
  init(
    model: any WindowModel, settings: InductionHeadSettings, isDense: Bool,
    population: PopulationSettings
  ) {
    let chains = Double(population.chains)
    let d = Double(settings.data.vocabulary)
    let windows = model.windowShape.codeCount.map(Double.init) ?? .infinity
    let span = max(model.windowShape.lags.last ?? 1, population.parents.last ?? 1)
    let extended = (0...min(span, 2000)).reduce(1.0) { product, _ in product * d }
    let contexts = population.parents.reduce(d) { product, _ in product * d }
    let count = Double(model.layout.count)
    let subsets = Double(settings.model.subsetCount + 1)
    let heads = Double(settings.model.heads)
    // Tiles of 32 queries and panels of 64 chains; see PopulationLoss. The laws are held three times, twice
    // of them with the chains rounded up to eight.
    let lanes = max(2, min(16, windows / 32))
    let tile = min(windows, 32)
    // Buffers over tiles and panels, with tangents; kernel scratch; feature adjoints.
    let laneBytes =
      8
      * (5 * tile * windows + 4 * 64 * d * tile
        + windows * (2 * subsets + 4 * heads + Double(model.featureWidth) * 3 + 6)
        + (isDense ? windows * (2 * count + 1) + 64 * d * (2 * count + 1) + count * count : 0))
    extent = "\(population.chains) chains in infinite context"
    rows = [
      Row(name: "chains", text: "\(population.chains) in infinite context"),
      Row(name: "parameters", text: "\(model.layout.count)"),
      Row(name: "distinct windows", text: "at most \(Self.count(windows))"),
      Row(name: "pairs", text: "at most \(Self.count(windows * windows))"),
    ]
    let solverBytes = isDense ? 5 * 8 * count * count : 8 * 40 * count
    let rest =
      8 * (chains + 2 * (chains + 7)) * d * windows + 8 * chains * contexts + 8 * 3 * extended * 16
      + windows * 24 * (Double(model.featureWidth) + Double(model.layerWidth))
      + Self.shareBytes(model, settings)
    bytes = rest + lanes * laneBytes + solverBytes
    isMostlyDense = isDense && lanes * laneBytes + solverBytes > rest
  }

  /// Sizes of the mixed target with S sequences of length L on hand, or none.
  init(_ settings: MixedTargetSettings) {
    let target = settings.target
    let length = target.length.map(Double.init) ?? 0
    let count = Double(settings.sequences ?? 0)
    let place = target.length.map { "length \($0)" } ?? "infinite length"
    let kind =
      settings.sequences.map { "\($0) sequences of \(place), \(settings.induction.rawValue)" }
      ?? "\(place), leading order in 1/N"
    extent = kind
    rows = [
      Row(name: "mixed target", text: kind),
      Row(name: "parameters", text: "\(settings.transformer.layout.count)"),
    ]
    // A sample is held with one output each, once more in parts and once more when it is exported; sampling has
    // scratch of up to 64 lanes, a finite p₁ a jet for every position.
    let sample = settings.induction == .sampled ? count * (3 * length + 3) * 8 : 0
    isMostlyDense = false
    bytes = sample + length * (settings.sequences == nil ? 64 : 8 * 40 * 16) + 1e6
  }

  private static func count(_ value: Double) -> String {
    value < 1e15 ? String(Int(value)) : value.formatted("%.3g")
  }

  /// The bytes in words, for instance `1.5 GiB`.
  public var bytesText: String { Self.text(ofBytes: bytes) }

  /// A number of bytes in words.
  static func text(ofBytes bytes: Double) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    var value = bytes
    var unit = 0
    while value >= 1024 && unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    let tenths = (value * 10).rounded() / 10
    let shown = unit == 0 || tenths >= 1e6 ? value.rounded() : tenths
    return "\(shown) \(units[unit])"
  }
}
