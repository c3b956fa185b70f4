import DeclaredKeys
import MixedTargets

/// Turns a document into the studies it asks for: checks across keys first, then the settings.
struct ApproximationReader {
  private typealias Keys = ApproximationKeys

  var document: KeyedDocument

  /// The most coordinates that the sequences of one kind may have together: 1 GB.
  private static let mostCoordinates = 1 << 27

  // MARK: - Checks

  mutating func check() {
    checkParts()
    checkBigrams()
    checkPatches()
    checkSimilarities()
  }

  private mutating func checkParts() {
    let others = [
      Keys.dimensions.address(), Keys.norms.address(), Keys.form.address(), Keys.lengths.address(),
    ]
    // A faulty list counts as one that asks for something.
    let lists = [Keys.lags, Keys.patches, Keys.similarities].filter {
      document.isGiven($0.address()) && document[$0]?.count != 0
    }
    if document.isGiven(Keys.rates.address()) { return }
    if others.contains(where: { document.isGiven($0) }) {
      document.rejectMissing(Keys.rates)
    } else if lists.isEmpty {
      document.rejectMissing(
        Keys.rates, allowed: "at least one of bigrams.rates, lags, patches and similarities",
        advice: "name what is to be approximated, for example bigrams: {rates: [1, 10, 30]}")
    }
  }

  private mutating func checkBigrams() {
    guard let dimension = document[Keys.dimensions]?.max(),
      let length = document[Keys.lengths]?.max()
    else { return }
    checkSize(dimension, length, at: Keys.lengths.address())
  }

  private mutating func checkSize(_ dimension: Int, _ length: Int, at address: KeyAddress) {
    guard let samples = document[Keys.samples] else { return }
    let most = Self.mostCoordinates / dimension / samples
    if length > most {
      document.reject(
        address, found: "\(samples) sequences of \(length) tokens with \(dimension) coordinates",
        allowed: "at most \(Self.mostCoordinates) coordinates together",
        advice: "use shorter or fewer sequences")
    }
  }

  private mutating func checkPatches() {
    for index in 0..<(document[Keys.patches]?.count ?? 0) {
      if let order = document[Keys.order, index], let heads = document[Keys.patchHeads, index] {
        for (place, count) in heads.enumerated() where count < order - 1 {
          document.reject(
            Keys.patchHeads.address(index).element(place),
            found: "\(count) shared head\(count == 1 ? "" : "s") with order \(order)",
            allowed: "at least \(order - 1), one for each lag of the patch",
            advice: "add heads or lower the order: with fewer no kernel of lag \(order - 1) has an "
              + "error below 1")
        }
      }
      if let order = document[Keys.order, index], let length = document[Keys.patchLength, index] {
        if length <= order {
          document.reject(
            Keys.patchLength.address(index), found: "\(length) with order \(order)",
            allowed: "an integer ≥ \(order + 1), so that there is a patch to compare with",
            advice: "lengthen the sequences")
        } else if let dimension = document[Keys.dimension, index] {
          checkSize(dimension, length, at: Keys.patchLength.address(index))
        }
      }
    }
  }

  private mutating func checkSimilarities() {
    for index in 0..<(document[Keys.similarities]?.count ?? 0) {
      guard let kernel = document[Keys.kernel, index] else { continue }
      let (width, degree) = (Keys.width.address(index), Keys.degree.address(index))
      if kernel == .gaussian {
        if !document.isGiven(width) {
          document.rejectMissing(Keys.width, index)
        } else {
          checkWidth(index)
        }
      } else if document.isGiven(width) {
        document.reject(
          width, found: "the key with kernel: \(kernel.rawValue)",
          allowed: "only with kernel: gaussian", advice: "remove the key")
      }
      if kernel == .polynomial {
        if !document.isGiven(degree) { document.rejectMissing(Keys.degree, index) }
      } else if document.isGiven(degree) {
        document.reject(
          degree, found: "the key with kernel: \(kernel.rawValue)",
          allowed: "only with kernel: polynomial", advice: "remove the key")
      }
      if kernel == .absolute, document[Keys.measure, index] == .gaussian {
        document.reject(
          Keys.measure.address(index), found: "gaussian with kernel: absolute",
          allowed: "uniform, where the singular functions of |u − v| are known in closed form",
          advice: "write measure: uniform")
      }
    }
  }

  private mutating func checkWidth(_ index: Int) {
    guard let width = document[Keys.width, index], let measure = document[Keys.measure, index]
    else { return }
    let least = SingularExpansion.leastWidth(under: measure)
    if width < least {
      document.reject(
        Keys.width.address(index), found: "\(width) with measure: \(measure.rawValue)",
        allowed: "a real number ≥ \(least), which the quadrature resolves",
        advice: "use a wider kernel")
    }
  }

  // MARK: - Settings

  func sampling() throws(DocumentError) -> Sampling {
    Sampling(
      seed: UInt64(try document.required(Keys.seed)),
      samples: try document.required(Keys.samples), inputs: try document.required(Keys.inputs))
  }

  func bigrams(_ sampling: Sampling) throws(DocumentError) -> BigramStudy? {
    guard let rates = document[Keys.rates] else { return nil }
    return BigramStudy(
      dimensions: try document.required(Keys.dimensions), norms: try document.required(Keys.norms),
      form: try document.required(Keys.form), lengths: try document.required(Keys.lengths),
      rates: rates, sampling: sampling)
  }

  func lags() throws(DocumentError) -> [LagStudy] {
    var studies: [LagStudy] = []
    for index in 0..<(document[Keys.lags]?.count ?? 0) {
      studies.append(
        LagStudy(
          lag: try document.required(Keys.lag, index),
          heads: try document.required(Keys.lagHeads, index),
          choices: try document.required(Keys.lagNodes, index),
          budgets: try document.required(Keys.lagBudgets, index),
          largestRate: try document.required(Keys.largestRate),
          positions: try document.required(Keys.positions)))
    }
    return studies
  }

  func patches(_ sampling: Sampling) throws(DocumentError) -> [PatchStudy] {
    var studies: [PatchStudy] = []
    for index in 0..<(document[Keys.patches]?.count ?? 0) {
      studies.append(
        PatchStudy(
          order: try document.required(Keys.order, index),
          heads: try document.required(Keys.patchHeads, index),
          choices: try document.required(Keys.patchNodes, index),
          budgets: try document.required(Keys.patchBudgets, index),
          largestRate: try document.required(Keys.largestRate),
          dimension: try document.required(Keys.dimension, index),
          norm: try document.required(Keys.norm, index),
          length: try document.required(Keys.patchLength, index), sampling: sampling))
    }
    return studies
  }

  func similarities(_ sampling: Sampling) throws(DocumentError) -> [SimilarityStudy] {
    var studies: [SimilarityStudy] = []
    for index in 0..<(document[Keys.similarities]?.count ?? 0) {
      let kernel: SimilarityKernel =
        switch try document.required(Keys.kernel, index) {
        case .gaussian: .gaussian(width: try document.required(Keys.width, index))
        case .polynomial: .polynomial(degree: try document.required(Keys.degree, index))
        case .absolute: .absolute
        }
      studies.append(
        SimilarityStudy(
          kernel: kernel, measure: try document.required(Keys.measure, index),
          ranks: try document.required(Keys.ranks, index),
          length: try document.required(Keys.similarityLength, index), sampling: sampling))
    }
    return studies
  }
}
