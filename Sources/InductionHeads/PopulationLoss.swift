import CKernels
import Corpora

/// The sum of the losses of K chains in infinite context.
///
///     −Σ_π Σ_{q,e} μ^π(q,e) log(y_e + ε),   y_e = Σ_ω μ^π(ω,e) E(ω,q) / Σ_ω μ^π(ω) E(ω,q),
///
/// with E = e^z, or with another loss of y. The sums over ω are matrix products over all chains and a tile of queries.
struct PopulationLoss: PairLoss {
  let law: PopulationLaw
  let output: OutputLoss
  let plan: WorkPlan
  let keyWindows: [UInt32]
  let packed: PackedLaw

  /// The most queries of a tile: with a panel of chains their sums stay in cache.
  static let tile = 32
  /// Chains whose sums are held at a time, a multiple of eight.
  static let panel = 64

  init(law: PopulationLaw, output: OutputLoss) {
    self.law = law
    self.output = output
    let count = law.windows.count
    plan = WorkPlan(
      windows: count, tile: Self.tile, lanes: min(16, (count / Self.tile + 2) & ~1))
    keyWindows = (0..<UInt32(count)).map(\.self)
    packed = PackedLaw(law)
  }

  var windows: WindowTable { law.windows }
  var count: Int { law.chainCount }
  var constant: Double { 0 }
  var questions: [WorkPlan.Block] { plan.blocks }

  func makeLane() -> any LanePairLoss { LanePopulationLoss(self) }

  /// Runs of chains that are taken together.
  var panels: [Range<Int>] {
    stride(from: 0, to: law.chainCount, by: Self.panel).map {
      $0..<min($0 + Self.panel, law.chainCount)
    }
  }
}

/// One lane of a population's loss.
///
/// Buffers over a tile have shape (queries, windows), with rows of `rowLength` places; sums over ω
/// have shape (queries, chunks, d, 8), of the chunks of a panel.
final class LanePopulationLoss: LanePairLoss {
  let loss: PopulationLoss
  let d: Int
  let windows: Int
  let rowLength: Int
  let panels: [Range<Int>]
  /// z of the query at hand; E up to a factor for each query of the tile, and z̄.
  let logits, powers, adjoint: Buffer
  /// T = Σ_ω μ(ω,e) E(ω,q) of a panel, then its adjoint.
  let sums: Buffer
  /// The distance between queries in the sums.
  let sumLength: Int
  /// What only second derivatives need, made at their first use.
  lazy var tangents = Tangents(self)
  var curvature: Curvature?

  /// ż of the tile, Ė, the tangents of T or of its adjoint, and of z̄.
  final class Tangents {
    let logits, powers, sums, adjoint: Buffer

    init(_ lane: LanePopulationLoss) {
      logits = Buffer(lane.powers.count)
      powers = Buffer(lane.powers.count)
      sums = Buffer(lane.sums.count)
      adjoint = Buffer(lane.powers.count)
    }
  }

  init(_ loss: PopulationLoss) {
    self.loss = loss
    d = loss.law.windows.shape.vocabulary
    windows = loss.law.windows.count
    panels = loss.panels
    let tile = loss.plan.largestTile
    rowLength = paddedToLanes(windows)
    logits = Buffer(rowLength)
    powers = Buffer(tile * rowLength)
    adjoint = Buffer(tile * rowLength)
    sumLength = paddedToLanes(panels.first?.count ?? 0) * d
    sums = Buffer(tile * sumLength)
  }

  func logits(at place: Int) -> UnsafeMutablePointer<Double> { logits.pointer }

  func powers(at place: Int) -> UnsafeMutablePointer<Double> { powers.pointer + place * rowLength }

  func evaluate(_ tile: ArraySlice<WorkPlan.Block>, isShared: Bool, adjoints: Bool) -> Double {
    guard let first = tile.first?.query else { return 0 }
    let queries = tile.count
    var total = 0.0
    for panel in panels {
      addUp(powers, of: panel, queries, into: sums)
      var population = population(panel, from: first, queries)
      total += gf_population_read_out(&population, adjoints ? 1 : 0, sums.pointer)
      if adjoints { pullBack(sums, of: panel, queries, to: adjoint) }
    }
    guard adjoints else { return total }
    multiply(adjoint.pointer, powers.pointer, into: adjoint.pointer, queries * rowLength)
    return total
  }

  /// T = Σ_ω μ(ω,e) E(ω,q) of a panel.
  private func addUp(
    _ powers: Buffer, of panel: Range<Int>, _ queries: Int, into sums: Buffer
  ) {
    gf_packed_product(
      queries, paddedToLanes(panel.count) / 8 * d, windows, powers.pointer, rowLength,
      loss.packed.chains(from: panel.lowerBound), windows, 0, sums.pointer, sumLength)
  }

  /// Ē(ω,q) = Σ μ(ω,e) T̄ over a panel, added to what earlier panels gave.
  private func pullBack(
    _ sums: Buffer, of panel: Range<Int>, _ queries: Int, to adjoint: Buffer
  ) {
    gf_packed_product(
      queries, rowLength / 8, paddedToLanes(panel.count) * d, sums.pointer, sumLength,
      loss.packed.windows(from: panel.lowerBound), loss.packed.places,
      panel.lowerBound == 0 ? 0 : 1, adjoint.pointer, rowLength)
  }

  /// The chains of a panel and the queries of a tile.
  private func population(
    _ panel: Range<Int>, from query: Int, _ queries: Int
  ) -> gf_population {
    gf_population(
      vocabulary: Int32(d), chunks: paddedToLanes(panel.count) / 8, queries: queries,
      score: loss.output.score, weights: loss.packed.chains(from: panel.lowerBound) + query * 8,
      weight_stride: windows, sum_stride: sumLength)
  }

  func logitAdjoint(at place: Int) -> UnsafePointer<Double> {
    UnsafePointer(adjoint.pointer + place * rowLength)
  }

  func takeTangent(_ block: WorkPlan.Block, at place: Int, tangent: UnsafePointer<Double>) {
    (tangents.logits.pointer + place * rowLength).update(from: tangent, count: windows)
  }

  func evaluateTangent(_ tile: ArraySlice<WorkPlan.Block>, isShared: Bool) {
    guard let first = tile.first?.query else { return }
    let queries = tile.count
    let count = queries * rowLength
    let dots = tangents
    multiply(powers.pointer, dots.logits.pointer, into: dots.powers.pointer, count)
    for panel in panels {
      addUp(powers, of: panel, queries, into: sums)
      addUp(dots.powers, of: panel, queries, into: dots.sums)
      var population = population(panel, from: first, queries)
      gf_population_read_out_tangent(&population, sums.pointer, dots.sums.pointer)
      pullBack(sums, of: panel, queries, to: adjoint)
      pullBack(dots.sums, of: panel, queries, to: dots.adjoint)
    }
    // z̄ = E Ē, so its tangent is Ė Ē + E Ē̇.
    multiply(dots.adjoint.pointer, powers.pointer, into: dots.adjoint.pointer, count)
    addProduct(adjoint.pointer, dots.powers.pointer, to: dots.adjoint.pointer, count)
    multiply(adjoint.pointer, powers.pointer, into: adjoint.pointer, count)
  }

  func logitAdjointTangent(at place: Int) -> UnsafePointer<Double> {
    UnsafePointer(tangents.adjoint.pointer + place * rowLength)
  }
}
