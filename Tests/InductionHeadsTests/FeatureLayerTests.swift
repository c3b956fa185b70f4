import Corpora
import Foundation
import InductionHeads
import TestSupport
import Testing

/// A layer with random input and parameters.
private struct LayerCase: CustomTestStringConvertible, Sendable {
  var name: String
  /// The number of parameters, and the layer on some input.
  var parameters: Int
  var width: Int
  var count: Int
  var make: @Sendable (FeatureTable) -> any FeatureLayer

  var testDescription: String { name }

  static let all: [LayerCase] = [
    LayerCase(name: "affine", parameters: 3 + 4 * 6 + 4, width: 6, count: 11) {
      AffineLayer($0, width: 4, weights: 3, biases: 27)
    },
    LayerCase(name: "affine by blocks, without biases", parameters: 3 * 4 * 2, width: 6, count: 9) {
      AffineLayer($0, blocks: 3, width: 4, weights: 0)
    },
    LayerCase(name: "GELU", parameters: 1, width: 5, count: 13) { ActivationLayer($0, .gelu) },
    LayerCase(name: "tanh", parameters: 1, width: 5, count: 13) { ActivationLayer($0, .tanh) },
    LayerCase(name: "softplus", parameters: 1, width: 5, count: 13) {
      ActivationLayer($0, .softplus)
    },
    LayerCase(name: "layer normalisation", parameters: 10, width: 5, count: 13) {
      LayerNormLayer($0, floor: 1e-2, gains: 0, biases: 5)
    },
    LayerCase(name: "layer normalisation at ε = 0", parameters: 10, width: 5, count: 13) {
      LayerNormLayer($0, floor: 0, gains: 5, biases: 0)
    },
    LayerCase(name: "layer normalisation by blocks", parameters: 8, width: 12, count: 7) {
      LayerNormLayer($0, blocks: 3, floor: 1e-3, gains: 4, biases: 0)
    },
    LayerCase(name: "attention", parameters: 5 + 2 * 9, width: 3, count: 5) {
      AttentionLayer(
        $0, stage,
        heads: [
          .init(lags: [(0, -1), (1, 0), (2, 1)], projections: (5, 14)),
          .init(lags: [(2, 2), (1, 3), (0, 4)], projections: nil),
        ])
    },
  ]

  /// Windows over five lower ones, some of which see less than others.
  static let stage: WindowStages.Stage = {
    let windows = WindowTable(
      shape: WindowShape(vocabulary: 4, lags: [0, 1, 2], reach: 2, range: .allPositions),
      symbols: [0, 1, 2, 3, 2, 1, 4, 0, 0, 1, 4, 4, 2, 3, 4, 3, 3, 3])
    return WindowStages(windows, reaches: [2]).stages[0]
  }()
}

/// Functions of θ and x, with the sweep of central differences that every derivative has to pass.
@Suite struct FeatureLayerTests {
  /// A layer with everything random, whose objective is ⟨r, y⟩.
  private final class Setup {
    let input: FeatureTable
    let layer: any FeatureLayer
    var theta, x, thetaDot, xDot, adjoint, adjointDot: [Double]

    init(_ choice: LayerCase) {
      var random = SeededRandom(23)
      func draw(_ count: Int) -> [Double] {
        (0..<count).map { _ in Double.random(in: -1...1, using: &random) }
      }
      input = FeatureTable(width: choice.width, count: choice.count)
      layer = choice.make(input)
      theta = draw(choice.parameters)
      thetaDot = draw(choice.parameters)
      x = draw(choice.width * choice.count)
      xDot = draw(choice.width * choice.count)
      adjoint = draw(layer.output.width * layer.output.count)
      adjointDot = draw(layer.output.width * layer.output.count)
    }

    func write(_ values: [Double], to buffer: Buffer, _ table: FeatureTable) {
      for row in 0..<table.width {
        for window in 0..<table.count {
          buffer.pointer[row * table.rowLength + window] = values[row * table.count + window]
        }
      }
    }

    func read(_ buffer: Buffer, _ table: FeatureTable) -> [Double] {
      (0..<table.width).flatMap { row in
        (0..<table.count).map { buffer.pointer[row * table.rowLength + $0] }
      }
    }

    /// y at θ + h θ̇, x + h ẋ.
    func output(_ h: Double) -> [Double] {
      write(zip(x, xDot).map { $0 + h * $1 }, to: input.value, input)
      layer.forward(zip(theta, thetaDot).map { $0 + h * $1 })
      return read(layer.output.value, layer.output)
    }

    /// θ̄ and x̄ there, of ȳ + h ȳ̇.
    func adjoints(_ h: Double) -> [Double] {
      _ = output(h)
      write(zip(adjoint, adjointDot).map { $0 + h * $1 }, to: layer.output.adjoint, layer.output)
      // What other layers have added before must still be there.
      write(x.map { _ in 0.5 }, to: input.adjoint, input)
      var gradient = theta.map { _ in 0.25 }
      layer.pullBack(zip(theta, thetaDot).map { $0 + h * $1 }, into: &gradient)
      return gradient.map { $0 - 0.25 } + read(input.adjoint, input).map { $0 - 0.5 }
    }

    /// ẏ.
    func tangent() -> [Double] {
      _ = output(0)
      write(xDot, to: input.tangent, input)
      layer.tangent(theta, thetaDot)
      return read(layer.output.tangent, layer.output)
    }

    /// The tangents of θ̄ and x̄.
    func adjointTangents() -> [Double] {
      _ = adjoints(0)
      _ = tangent()
      write(adjointDot, to: layer.output.adjointTangent, layer.output)
      write(x.map { _ in 0.5 }, to: input.adjointTangent, input)
      var product = theta.map { _ in 0.25 }
      layer.pullBackTangent(theta, thetaDot, into: &product)
      return product.map { $0 - 0.25 } + read(input.adjointTangent, input).map { $0 - 0.5 }
    }

    var groups: [Range<Int>] { [0..<theta.count, theta.count..<theta.count + x.count] }
  }

  @Test(arguments: LayerCase.all)
  fileprivate func tangentsHaveTheErrorOfCentralDifferences(choice: LayerCase) {
    let setup = Setup(choice)
    let exact = setup.tangent()
    DifferenceSweep(exact: exact, groups: [exact.indices]) { h in
      zip(setup.output(h), setup.output(-h)).map { ($0 - $1) / (2 * h) }
    }.check(best: 1e-8)
  }

  @Test(arguments: LayerCase.all)
  fileprivate func adjointsHaveTheErrorOfCentralDifferences(choice: LayerCase) {
    let setup = Setup(choice)
    let exact = setup.adjoints(0)
    let (thetaDot, xDot) = (setup.thetaDot, setup.xDot)
    defer { (setup.thetaDot, setup.xDot) = (thetaDot, xDot) }
    func loss(_ i: Int, _ h: Double) -> Double {
      setup.thetaDot = thetaDot.indices.map { $0 == i ? 1 : 0 }
      setup.xDot = xDot.indices.map { $0 + thetaDot.count == i ? 1 : 0 }
      return zip(setup.adjoint, setup.output(h)).reduce(0) { $0 + $1.0 * $1.1 }
    }
    DifferenceSweep(exact: exact, groups: setup.groups) { h in
      exact.indices.map { (loss($0, h) - loss($0, -h)) / (2 * h) }
    }.check(best: 1e-8)
  }

  @Test(arguments: LayerCase.all)
  fileprivate func tangentsOfAdjointsHaveTheErrorOfCentralDifferences(choice: LayerCase) {
    let setup = Setup(choice)
    let exact = setup.adjointTangents()
    DifferenceSweep(exact: exact, groups: setup.groups) { h in
      zip(setup.adjoints(h), setup.adjoints(-h)).map { ($0 - $1) / (2 * h) }
    }.check(best: 1e-8)
  }

  /// ⟨ȳ, ẏ⟩ = ⟨θ̄, θ̇⟩ + ⟨x̄, ẋ⟩.
  @Test(arguments: LayerCase.all)
  fileprivate func tangentAndAdjointAreAPair(choice: LayerCase) {
    let setup = Setup(choice)
    let adjoints = setup.adjoints(0)
    let one = zip(setup.adjoint, setup.tangent()).reduce(0) { $0 + $1.0 * $1.1 }
    let other = zip(adjoints, setup.thetaDot + setup.xDot).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(abs(one - other) < 1e-13 * (1 + abs(one)))
  }

  /// Of three attention layers: what each position sees, from the tokens themselves.
  @Test func windowsOfLowerLayersAreThoseOfTheirPositions() {
    let shape = WindowShape(vocabulary: 2, lags: [0, 1, 2, 3], reach: 3, range: .allPositions)
    // Newest first; 2 is absent: before the sequence, or at the output.
    let windows: [[UInt16]] = [[2, 1, 0, 1], [0, 1, 0, 2], [1, 2, 2, 2]]
    let stages = WindowStages(
      WindowTable(shape: shape, symbols: windows.flatMap { $0 }), reaches: [2, 1]
    ).stages
    #expect(stages.map(\.count) == [stages[1].lowerCount, 3] && stages[0].lowerCount == 3)
    func tokens(_ lower: Int) -> [Int] { (0...2).map { stages[0].lower($0, lower) } }
    #expect(tokens(stages[1].lower(0, 0)) == [2, 1, 0])
    #expect(tokens(stages[1].lower(1, 0)) == [1, 0, 1])
    #expect(tokens(stages[1].lower(0, 1)) == [0, 1, 0])
    #expect(tokens(stages[1].lower(1, 1)) == [1, 0, -1])
    #expect(tokens(stages[1].lower(0, 2)) == [1, -1, -1])
    #expect(stages[1].lower(1, 2) == -1)
  }
}

@Suite struct LayerNormTests {
  /// Rounding makes a variance of features that are all equal; at ε = 0 nothing may be made of it.
  @Test func equalFeaturesHaveNoNormalisation() {
    for width in [3, 5, 6, 9] {
      let table = FeatureTable(width: width, count: 100)
      let layer = LayerNormLayer(table, floor: 0, gains: 0, biases: width)
      for window in 0..<100 {
        for row in 0..<width {
          table.value.pointer[row * table.rowLength + window] = 0.1 * Double(window) - 0.317
        }
      }
      layer.forward([Double](repeating: 1, count: 2 * width))
      for window in 0..<100 { #expect(layer.output.value.pointer[window].isNaN) }
    }
  }
}

@Suite struct ActivationTests {
  /// Far from zero, where formulas cancel: the limits, and nothing that is not a number.
  @Test func tailsAreExact() {
    for activation in Activation.allCases {
      for x in [-1e3, -40, 40, 1e3] {
        let table = FeatureTable(width: 1, count: 1)
        let layer = ActivationLayer(table, activation)
        table.value.pointer[0] = x
        layer.forward([0])
        table.tangent.pointer[0] = 1
        layer.tangent([0], [0])
        let (y, slope) = (layer.output.value.pointer[0], layer.output.tangent.pointer[0])
        let (limit, rate): (Double, Double) =
          switch activation {
          case .tanh: (x > 0 ? 1 : -1, 0)
          case .gelu, .softplus: (max(x, 0), x > 0 ? 1 : 0)
          }
        #expect(abs(y - limit) < 1e-15 * max(1, abs(x)) && abs(slope - rate) < 1e-15)
      }
    }
  }
}
