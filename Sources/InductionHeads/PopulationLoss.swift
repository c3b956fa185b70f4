import Corpora
import LinearAlgebra

#if canImport(Glibc)
  import Glibc
#endif

/// The sum of the losses of K chains in infinite context.
///
///     −Σ_π Σ_{q,e} μ^π(q,e) log(y_e + ε),   y_e = Σ_ω μ^π(ω,e) E(ω,q) / Σ_ω μ^π(ω) E(ω,q),
///
/// with E = e^z. The sums over ω are matrix products over all chains and a tile of queries.
struct PopulationLoss: PairLoss {
  let law: PopulationLaw
  let floor: Double
  let plan: WorkPlan
  let keyWindows: [UInt32]

  /// Rows of sums over ω that are held at a time: with a tile of queries they stay in cache.
  static let panelRows = 1536
  static let tile = 32

  init(law: PopulationLaw, floor: Double) {
    self.law = law
    self.floor = floor
    let count = law.windows.count
    // Products want tiles of several queries, so small problems get few lanes.
    plan = WorkPlan(windows: count, tile: Self.tile, lanes: max(2, min(16, count / Self.tile)))
    keyWindows = (0..<UInt32(count)).map(\.self)
  }

  var windows: WindowTable { law.windows }
  var count: Int { law.chainCount }
  var constant: Double { 0 }
  var questions: [WorkPlan.Block] { plan.blocks }

  func makeLane() -> any LanePairLoss { LanePopulationLoss(self) }

  /// Runs of chains whose rows of `law.joint` fit a panel.
  var panels: [Range<Int>] {
    let size = max(1, Self.panelRows / law.windows.shape.vocabulary)
    return stride(from: 0, to: law.chainCount, by: size).map {
      $0..<min($0 + size, law.chainCount)
    }
  }
}

/// One lane of a population's loss.
///
/// Buffers over a tile have shape (queries, windows), with rows of `rowLength` places, sums over ω
/// shape (chains · d, queries).
final class LanePopulationLoss: LanePairLoss {
  let loss: PopulationLoss
  let d: Int
  let windows: Int
  let rowLength: Int
  let panels: [Range<Int>]
  /// z of the query at hand; E up to a factor for each query of the tile, and z̄.
  let logits, powers, adjoint: Buffer
  /// T = Σ_ω μ(ω,e) E(ω,q) of a panel, then its adjoint.
  let sums, sumAdjoint: Buffer
  /// What only second derivatives need, made at their first use.
  lazy var tangents = Tangents(self)
  var curvature: Curvature?

  /// ż of the tile, Ė, the tangents of T, of its adjoint and of z̄.
  final class Tangents {
    let logits, powers, sums, sumAdjoint, adjoint: Buffer

    init(_ lane: LanePopulationLoss) {
      logits = Buffer(lane.powers.count)
      powers = Buffer(lane.powers.count)
      sums = Buffer(lane.sums.count)
      sumAdjoint = Buffer(lane.sums.count)
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
    sums = Buffer((panels.first?.count ?? 0) * d * tile)
    sumAdjoint = Buffer(sums.count)
  }

  func logits(at place: Int) -> UnsafeMutablePointer<Double> { logits.pointer }

  func powers(at place: Int) -> UnsafeMutablePointer<Double> { powers.pointer + place * rowLength }

  func evaluate(_ tile: ArraySlice<WorkPlan.Block>, isShared: Bool, adjoints: Bool) -> Double {
    guard let first = tile.first?.query else { return 0 }
    let queries = tile.count
    var total = 0.0
    withJoint { joint in
      for panel in panels {
        let rows = joint + panel.lowerBound * d * windows
        let law = MatrixView(rows, rows: panel.count * d, columns: windows)
        multiply(
          law,
          MatrixView(powers.pointer, rows: queries, columns: windows, stride: rowLength).transposed,
          into: sums.pointer)
        for chain in 0..<panel.count {
          total += readOut(
            weights: rows + chain * d * windows + first, at: chain * d * queries, queries)
        }
        guard adjoints else { continue }
        multiply(
          MatrixView(sumAdjoint.pointer, rows: panel.count * d, columns: queries).transposed, law,
          keeping: panel.lowerBound == 0 ? 0 : 1, into: adjoint.pointer, stride: rowLength)
      }
    }
    guard adjoints else { return total }
    let count = queries * rowLength
    multiply(adjoint.pointer, powers.pointer, into: adjoint.pointer, count)
    return total
  }

  /// The loss of one chain over the tile's queries, and ∂/∂T.
  ///
  /// With f_e = −μ(q,e)/((y_e + ε) Z): T̄_e = f_e − Σ_e' f_e' y_e'.
  ///
  /// - Parameters:
  ///   - weights: μ(q, 0) of the first query; tokens lie `windows` apart.
  ///   - offset: where the chain's sums start, shape (d, queries).
  ///   - queries: the number of queries.
  /// - Returns: Σ_{q,e} −μ(q,e) log(y_e + ε).
  private func readOut(
    weights: UnsafePointer<Double>, at offset: Int, _ queries: Int
  ) -> Double {
    let t = sums.pointer + offset
    let tBar = sumAdjoint.pointer + offset
    var total = 0.0
    for q in 0..<queries {
      var z = 0.0
      for e in 0..<d { z += t[e &* queries &+ q] }
      var mean = 0.0
      for e in 0..<d {
        let i = e &* queries &+ q
        let weight = weights[e &* windows &+ q]
        // Only what can happen counts; a query that cannot may have Z = 0.
        guard weight > 0 else {
          tBar[i] = 0
          continue
        }
        let y = t[i] / z
        total -= weight * log(y + loss.floor)
        let f = -weight / ((y + loss.floor) * z)
        tBar[i] = f
        mean += f * y
      }
      for e in 0..<d { tBar[e &* queries &+ q] -= mean }
    }
    return total
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
    withJoint { joint in
      for panel in panels {
        let rows = joint + panel.lowerBound * d * windows
        let law = MatrixView(rows, rows: panel.count * d, columns: windows)
        for (from, into) in [(powers, sums), (dots.powers, dots.sums)] {
          multiply(
            law,
            MatrixView(from.pointer, rows: queries, columns: windows, stride: rowLength).transposed,
            into: into.pointer)
        }
        for chain in 0..<panel.count {
          let offset = chain * d * queries
          _ = readOut(weights: rows + chain * d * windows + first, at: offset, queries)
          readOutTangent(
            weights: rows + chain * d * windows + first, at: offset, queries)
        }
        for (from, into) in [(sumAdjoint, adjoint), (dots.sumAdjoint, dots.adjoint)] {
          multiply(
            MatrixView(from.pointer, rows: panel.count * d, columns: queries).transposed, law,
            keeping: panel.lowerBound == 0 ? 0 : 1, into: into.pointer, stride: rowLength)
        }
      }
    }
    // z̄ = E Ē, so its tangent is Ė Ē + E Ē̇.
    multiply(dots.adjoint.pointer, powers.pointer, into: dots.adjoint.pointer, count)
    addProduct(adjoint.pointer, dots.powers.pointer, to: dots.adjoint.pointer, count)
    multiply(adjoint.pointer, powers.pointer, into: adjoint.pointer, count)
  }

  /// The tangent of ``readOut(weights:at:_:)``'s T̄.
  ///
  /// ẏ_e = (Ṫ_e − y_e Ż)/Z and ḟ_e = −f_e (ẏ_e/(y_e + ε) + Ż/Z);
  /// the tangent of T̄_e is ḟ_e − Σ_e' (ḟ_e' y_e' + f_e' ẏ_e').
  private func readOutTangent(
    weights: UnsafePointer<Double>, at offset: Int, _ queries: Int
  ) {
    let t = sums.pointer + offset
    let tDot = tangents.sums.pointer + offset
    let tBarDot = tangents.sumAdjoint.pointer + offset
    for q in 0..<queries {
      var z = 0.0
      var zDot = 0.0
      for e in 0..<d {
        z += t[e &* queries &+ q]
        zDot += tDot[e &* queries &+ q]
      }
      var mean = 0.0
      for e in 0..<d {
        let i = e &* queries &+ q
        let weight = weights[e &* windows &+ q]
        guard weight > 0 else {
          tBarDot[i] = 0
          continue
        }
        let y = t[i] / z
        let yDot = (tDot[i] - y * zDot) / z
        let f = -weight / ((y + loss.floor) * z)
        let fDot = -f * (yDot / (y + loss.floor) + zDot / z)
        tBarDot[i] = fDot
        mean += fDot * y + f * yDot
      }
      for e in 0..<d { tBarDot[e &* queries &+ q] -= mean }
    }
  }

  func logitAdjointTangent(at place: Int) -> UnsafePointer<Double> {
    UnsafePointer(tangents.adjoint.pointer + place * rowLength)
  }

  /// μ^π(ω, e) of all chains, shape (K · d, windows).
  func withJoint(_ body: (UnsafePointer<Double>) -> Void) {
    loss.law.joint.withUnsafeBufferPointer { joint in
      if let base = joint.baseAddress { body(base) }
    }
  }
}
