import DeclaredKeys
import Experiments
import Foundation
import GradientFlow
import MixedTargets
import RunRecords
import Testing

@Suite struct PhasePlanePlanTests {
  private static let mixed = """
    # Where is it at rest?
    model: {family: mixed-target}
    target: {proportion: 2, weight: 0.6}
    data: {length: 500}
    initial: {sigma: 1.0e-3}
    stages:
      - {name: layer-2, train: [p, v1, v, w], until: 1.0e+5}
      - {name: rest, train: [p, v1], until: 1.0e+5}
    plane: {x: v, x_from: 0, x_to: 0.8, y: k, y_from: -0.2, y_to: 0.6, grid: 17, start_grid: 2}
    """

  private func plan(_ text: String, _ overrides: [String] = []) throws(DocumentError)
    -> PhasePlanePlan
  {
    try PhasePlanePlan(Ensemble(text: text, file: "/folder/x.yaml", overrides: overrides))
  }

  private func report(_ plan: PhasePlanePlan) throws -> (
    report: PhasePlaneReport, directory: RunDirectory
  ) {
    let folder = FileManager.default.temporaryDirectory.path + "/gradflow-\(UUID().uuidString)"
    let directory = try RunDirectory.create(at: folder)
    let run = PhasePlaneRun(plan, program: .init(version: "0", source: nil), threads: 1)
    return (try run.run(into: directory, isStopped: { false }) { _ in }, directory)
  }

  // MARK: - The mixed target

  /// Saddle (c, 0) with 1/N and ±c²m/N; minimum (c, m) with the eigenvalues of [[A, √s B], [√s B, sC]], in the plane's
  /// coordinates v and the length along the leaf, dk = √s dℓ.
  @Test(arguments: [[], ["initial.values={wk: 0.2, wq: 0.05}"], ["model.tied=true"]])
  func restsOfTheMixedTargetAreTheClosedForm(overrides: [String]) throws {
    let isTied = overrides == ["model.tied=true"]
    let isUnequal = !isTied && !overrides.isEmpty
    let (report, directory) = try report(
      plan(Self.mixed, overrides + (isTied ? ["plane.y_from=0"] : [])))
    defer { try? directory.discard() }
    let (c, m, n) = (1.0 / 3, 0.36, 498.0)
    // With w_K² ≠ w_Q² conserved, k = 0 is no saddle.
    #expect(report.fixedPoints.map(\.kind) == (isUnequal ? [.minimum] : [.saddle, .minimum]))
    for point in report.fixedPoints {
      let isMinimum = point.kind == .minimum
      #expect(abs(point.x - c) < 1e-12)
      #expect(abs(point.y - (isMinimum ? m : 0)) < 1e-12)
      #expect(point.gradientNorm < 1e-14)
    }
    let minimum = try #require(report.fixedPoints.last)
    let difference = isUnequal ? 0.04 - 0.0025 : 0
    let s = isTied ? 4 * m : (4 * m * m + difference * difference).squareRoot()
    let a = pow(1 - 2 * m * m, -0.5) / n
    let b = c * m * pow(1 - 2 * m * m, -1.5) / n
    let d = c * c * (1 + m * m) * pow(1 - 2 * m * m, -2.5) / n
    let (trace, determinant) = (a + s * d, s * (a * d - b * b))
    let root = (trace * trace - 4 * determinant).squareRoot()
    let expected = [(trace - root) / 2, (trace + root) / 2]
    #expect(minimum.eigenvalues.count == 2)
    for (value, exact) in zip(minimum.eigenvalues, expected) {
      #expect(abs(value - exact) < 1e-12, "\(minimum.eigenvalues) \(expected)")
    }
    if !isUnequal, !isTied {
      let saddle = report.fixedPoints[0].eigenvalues
      let exact = [-c * c * m / n, c * c * m / n, 1 / n]
      #expect(saddle.count == 3)
      for (value, exact) in zip(saddle, exact) { #expect(abs(value - exact) < 1e-14) }
    }
  }

  /// With w_K on an axis and w_Q held, w_K² − w_Q² is conserved no longer: [[A, w_Q B], [w_Q B, w_Q² C]] in full.
  @Test func restsInAPlaneOfRawParameters() throws {
    let (report, directory) = try report(
      plan(
        Self.mixed,
        ["plane.y=wk", "plane.y_from=0", "plane.y_to=1", "initial.values={wk: 0.5, wq: 0.5}"]))
    defer { try? directory.discard() }
    let (c, m, n, q) = (1.0 / 3, 0.36, 498.0, 0.5)
    // k = 0 is no rest where w_K² ≠ w_Q².
    #expect(report.fixedPoints.map(\.kind) == [.minimum])
    let minimum = try #require(report.fixedPoints.last)
    #expect(abs(minimum.x - c) < 1e-12 && abs(minimum.y - m / q) < 1e-12)
    let a = pow(1 - 2 * m * m, -0.5) / n
    let b = q * c * m * pow(1 - 2 * m * m, -1.5) / n
    let d = q * q * c * c * (1 + m * m) * pow(1 - 2 * m * m, -2.5) / n
    let root = ((a - d) * (a - d) + 4 * b * b).squareRoot()
    #expect(minimum.eigenvalues.count == 2)
    for (value, exact) in zip(minimum.eigenvalues, [(a + d - root) / 2, (a + d + root) / 2]) {
      #expect(abs(value - exact) < 1e-12, "\(minimum.eigenvalues)")
    }
  }

  /// v′ = 0 where v = c√((1 − 2k²)/(1 − 2km)); k′ = 0 where k = 0 or (v/c)(k/m) = ((1 − 2k²)/(1 − 2km))^{3/2}, or v = 0.
  @Test func nullclinesOfTheMixedTargetAreTheClosedForm() throws {
    let (report, directory) = try report(plan(Self.mixed))
    defer { try? directory.discard() }
    let (c, m) = (1.0 / 3, 0.36)
    var count = 0
    for curve in report.nullclines {
      for p in curve.vertices {
        let ratio = (1 - 2 * p.y * p.y) / (1 - 2 * p.y * m)
        if curve.axis == .x {
          #expect(abs(p.x - c * ratio.squareRoot()) < 1e-10)
          count += 1
        } else {
          let gap = p.x * p.y / (c * m) - pow(ratio, 1.5)
          #expect(min(abs(gap), abs(p.y), abs(p.x)) < 1e-9, "\(p)")
        }
      }
    }
    #expect(count > 16)
    let table = try directory.table(.field)
    #expect(table.columns.prefix(6) == ["x", "y", "dx", "dy", "loss", "gradient_norm"])
    #expect(table.rowCount == 17 * 17)
    #expect(try directory.inspection().isComplete)
  }

  // MARK: - Keys

  @Test func resolvedReadsBack() throws {
    for overrides in [
      [], ["plane.others=slaved", "plane.starts=[{x: 0.1, y: 1.0e-3}]", "plane.duration=7"],
    ] {
      let experiment = try plan(Self.mixed, overrides).plan.experiment
      let again = try Experiment(text: experiment.resolved, file: "/folder/y.yaml")
      #expect(again == experiment && again.plane != nil)
    }
    let without = try Example.read(Example.minimal)
    #expect(without.plane == nil && !without.resolved.contains("\n  x_from: "))
  }

  /// What is wrong, its key, and the words that must be said of it.
  @Test(arguments: [
    (["plane.x=vv"], "plane.x", "one of p, v1, v, wk, wq, k"),
    (["plane.y=p1"], "plane.y", "of which stage layer-2 does not train all parameters"),
    (["plane.y=wk", "plane.x=k"], "plane.y", "share no parameter"),
    (["plane.y=v"], "plane.y", "another coordinate"),
    (["plane.stage=last"], "plane.stage", "layer-2, rest"),
    (["plane.stage=rest"], "plane.x", "choose another plane.stage"),
    (["plane.x_to=-1"], "plane.x_to", "ends above where it begins"),
    (["plane.grid=1"], "plane.grid", "2...1001"),
    (["plane.others=free"], "plane.others", "held | slaved"),
    (["plane={x: v, x_from: 0, x_to: 1}"], "plane.y", "second axis"),
    (
      ["plane={x: v, x_to: 1, y: k, y_from: 0, y_to: 1}"], "plane.x_from",
      "where the first axis begins"
    ),
    (["plane={}"], "plane.x", "--x and --y"),
    (["replicates=2"], "replicates", "a single one"),
  ])
  func badPlanesAreRefused(overrides: [String], key: String, words: String) {
    let error = #expect(throws: DocumentError.self) { try plan(Self.mixed, overrides) }
    #expect(error?.problems.first?.key == key, "\(error?.description ?? "")")
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test func coordinatesOfTheInductionHeads() throws {
    let text = Example.minimal + "\nplane: {x: share.1+2, y: share.3}"
    #expect(try plan(text).settings.x.to == 1)
    let message = { (overrides: [String]) in
      #expect(throws: DocumentError.self) { try self.plan(text, overrides) }?.description ?? ""
    }
    #expect(message(["plane.x=share.1+2+3"]).contains("share.1, share.2, share.3, share.1+2"))
    // Shares only where C_D is conserved, gaps only where the weights are trained.
    #expect(!message(["model.normalise_kernel=false"]).contains("one of share"))
    #expect(
      message(["plane.x=gap.1", "plane.x_from=0", "plane.x_to=1"]).contains("does not train"))
    let trained = [
      "stages[0].train=[w, a]", "plane.x=gap.3", "plane.x_from=0", "plane.x_to=4", "plane.y=a",
      "plane.y_from=0", "plane.y_to=4",
    ]
    #expect(try plan(text, trained).settings.x.name == "gap.3")
  }
}
