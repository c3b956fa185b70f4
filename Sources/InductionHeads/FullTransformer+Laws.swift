import Objectives

// What the flow of a full transformer conserves: a quantity for every rescaling of parameters that leaves all
// outputs as they are (derived in the article *The full transformer*).

extension FullTransformer {
  /// The gauges of attention, of layer normalisation, and of the scale a.
  var conservationLaws: [ConservationLaw] {
    attention.enumerated().flatMap { index, layer in laws(of: layer, index) }
      + networkLaws + scaleLaws + kernel.conservationLaws
  }

  /// Of W_Q W_Kᵀ, of weights that only their differences matter of, of what passes a layer normalisation.
  private func laws(of layer: Attention, _ index: Int) -> [ConservationLaw] {
    let prefix = StackPlan.prefix(index)
    let order = attention[..<index].reduce(vocabulary) { $0 * $1.heads.count }
    var laws: [ConservationLaw] = []
    for (h, head) in layer.heads.enumerated() {
      if !layer.seesItself, let start = plan.start(of: prefix + "w") {
        let first = start + layer.heads[..<h].reduce(0) { $0 + $1.lags.count }
        let range = first..<first + head.lags.count
        laws.append(
          ConservationLaw(
            name: "sum \(prefix)w.\(h + 1) conserved",
            explanation:
              "largest change of the sum of the weights of head \(h + 1) over all samples"
          ) { now, start in abs(range.reduce(0) { $0 + (now[$1] - start[$1]) }) })
      }
      if let query = plan.start(of: prefix + "wq"), let key = plan.start(of: prefix + "wk") {
        let (q, k) = (query + h * order * order, key + h * order * order)
        laws.append(
          ConservationLaw(
            name: "\(prefix)W_QᵀW_Q − W_KᵀW_K of head \(h + 1) conserved",
            explanation: "largest change of an entry, relative to the largest |entry| of either",
            groups: [prefix + "wq", prefix + "wk"]
          ) { now, start in
            Self.departure(order, now, start) { theta, i, j in
              let squares = (Self.gram(theta, q, order, i, j), Self.gram(theta, k, order, i, j))
              return (squares.0 - squares.1, max(abs(squares.0), abs(squares.1)))
            }
          })
      }
      if layer.hasValues, let floor = layer.normFloor, let start = plan.start(of: prefix + "wov") {
        let matrix = start + h * order * order
        laws.append(
          means("\(prefix)1ᵀW_OV of head \(h + 1)", matrix, rows: order, columns: order))
        if floor == 0 {
          laws.append(
            squares(
              "‖\(prefix)W_OV‖² of head \(h + 1)", [matrix..<matrix + order * order],
              groups: []))
        }
      }
    }
    return laws
  }

  /// Of W₂ and b₂ in front of a layer normalisation.
  private var networkLaws: [ConservationLaw] {
    guard case .innerProduct(let network?, _) = comparison, let floor = network.normFloor,
      let w = plan.range(of: "w2"), let b = plan.range(of: "b2")
    else { return [] }
    let rows = network.features
    var laws = [
      means("1ᵀW₂", w.lowerBound, rows: rows, columns: network.hidden),
      means("1ᵀb₂", b.lowerBound, rows: rows, columns: 1),
    ]
    if floor == 0 { laws.append(squares("‖W₂‖² + ‖b₂‖²", [w, b], groups: [])) }
    return laws
  }

  /// Of the scale a against what the score is homogeneous in: what comes last before the inner product of degree 2, B
  /// of degree 1.
  private var scaleLaws: [ConservationLaw] {
    let scale = kernel.scaleIndex
    guard case .innerProduct(let network, let isBilinear) = comparison else { return [] }
    var laws: [ConservationLaw] = []
    if let network, network.normFloor == nil, let w = plan.range(of: "w2"),
      let b = plan.range(of: "b2")
    {
      laws.append(balance("‖W₂‖² + ‖b₂‖² − 2a²", [w, b], 2, scale, groups: ["ffn", "a"]))
    }
    let last = attention.count - 1
    let maps = StackPlan.prefix(last) + "wov"
    if network == nil, attention[last].hasValues, attention[last].normFloor == nil,
      let matrices = plan.range(of: maps)
    {
      laws.append(
        balance(
          "\(StackPlan.prefix(last))‖W_OV‖² − 2a²", [matrices], 2, scale, groups: [maps, "a"]))
    }
    let norm = network == nil ? StackPlan.prefix(attention.count - 1) + "ln" : "ffn"
    if let gain = plan.range(of: norm + ".gain"), let bias = plan.range(of: norm + ".bias") {
      laws.append(
        balance("‖gain‖² + ‖bias‖² − 2a²", [gain, bias], 2, scale, groups: [norm, "a"]))
    }
    if isBilinear, let matrix = layout.group(named: "b")?.range {
      laws.append(balance("‖B‖² − a²", [matrix], 1, scale, groups: ["b", "a"]))
    }
    return laws
  }

  /// The sums over rows of a matrix, each of which stays.
  private func means(
    _ name: String, _ first: Int, rows: Int, columns: Int
  ) -> ConservationLaw {
    ConservationLaw(
      name: "\(name) conserved",
      explanation: "largest change of a sum over rows over all samples"
    ) { now, start in
      (0..<columns).reduce(0) { largest, column in
        max(
          largest,
          abs(
            (0..<rows).reduce(0) {
              let i = first + $1 * columns + column
              return $0 + (now[i] - start[i])
            }))
      }
    }
  }

  /// A sum of squares that stays.
  private func squares(
    _ name: String, _ ranges: [Range<Int>], groups: [String]
  ) -> ConservationLaw {
    ConservationLaw(
      name: "\(name) conserved", explanation: "largest relative change over all samples",
      groups: groups
    ) { now, start in abs(Self.squares(now, ranges) / Self.squares(start, ranges) - 1) }
  }

  /// A sum of squares less `factor` a², which stays.
  private func balance(
    _ name: String, _ ranges: [Range<Int>], _ factor: Double, _ scale: Int, groups: [String]
  ) -> ConservationLaw {
    ConservationLaw(
      name: "\(name) conserved",
      explanation: "largest change, relative to the sum of the terms, over all samples",
      groups: groups
    ) { now, start in
      func terms(_ theta: Span<Double>) -> (Double, Double) {
        (Self.squares(theta, ranges), factor * theta[scale] * theta[scale])
      }
      let (after, before) = (terms(now), terms(start))
      return abs(after.0 - after.1 - (before.0 - before.1)) / (after.0 + after.1)
    }
  }

  private static func squares(_ theta: Span<Double>, _ ranges: [Range<Int>]) -> Double {
    ranges.joined().reduce(0) { $0 + theta[$1] * theta[$1] }
  }

  /// Entry (i, j) of WᵀW.
  private static func gram(
    _ theta: Span<Double>, _ first: Int, _ order: Int, _ i: Int, _ j: Int
  ) -> Double {
    (0..<order).reduce(0) {
      $0 + theta[first + $1 * order + i] * theta[first + $1 * order + j]
    }
  }

  /// The largest change of an entry, relative to the largest of what it is made of.
  private static func departure(
    _ order: Int, _ now: Span<Double>, _ start: Span<Double>,
    _ entry: (Span<Double>, Int, Int) -> (value: Double, size: Double)
  ) -> Double {
    var (largest, size) = (0.0, Double.leastNormalMagnitude)
    for i in 0..<order {
      for j in 0...i {
        let (after, before) = (entry(now, i, j), entry(start, i, j))
        largest = max(largest, abs(after.value - before.value))
        size = max(size, abs(after.size), abs(before.size))
      }
    }
    return largest / size
  }
}
