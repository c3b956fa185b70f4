import DeclaredKeys

extension ExperimentReader {
  mutating func checkData() {
    switch document[Keys.source] {
    case .chains?:
      reject([Keys.file.address()], onlyWith: "source: tokens", source: "chains")
      reject([Keys.chains.address()], onlyWith: "source: population", source: "chains")
      checkKernels()
      require(Keys.sequences)
      require(Keys.length)
    case .population?:
      reject([Keys.file.address()], onlyWith: "source: tokens", source: "population")
      reject(
        [
          Keys.start.address(), Keys.sequences.address(), Keys.length.address(),
          Keys.targets.address(),
        ], onlyWith: "source: chains", source: "population")
      checkKernels()
      if document.isGiven(Keys.kernel.address()) {
        if document.isGiven(Keys.chains.address()) {
          document.reject(
            Keys.chains.address(), found: "the key beside data.kernel",
            allowed: "only where chains are drawn from a prior", advice: "remove one of the two")
        }
      } else {
        require(Keys.chains)
      }
      if document[Keys.readout] == .allPositions {
        document.reject(
          Keys.readout.address(), found: "all-positions with data.source: population",
          allowed: "full-window, because the start of an infinite sequence has no weight",
          advice: "leave model.readout out")
      }
      if document[Keys.positions] == .absolute {
        document.reject(
          Keys.positions.address(), found: "absolute with data.source: population",
          allowed: "relative, because an infinite sequence has no last position",
          advice: "leave model.positions out")
      }
    case .tokens?:
      reject(
        [
          Keys.parents.address(), Keys.concentration.address(), Keys.kernel.address(),
          Keys.start.address(),
        ], onlyWith: "source: chains", source: "tokens")
      reject([Keys.chains.address()], onlyWith: "source: population", source: "tokens")
      require(Keys.file, advice: "name the token file, or write source: chains")
      if document[Keys.positions] == .absolute, !document.isGiven(Keys.length.address()) {
        document.reject(
          Keys.positions.address(), found: "absolute without data.length",
          allowed: "with the length of the sequences", advice: "write data.length")
      }
      if document[Keys.targets] == .expected {
        document.reject(
          Keys.targets.address(), found: "expected with data.source: tokens",
          allowed: "sampled, because a file has no kernel",
          advice: "write loss.targets: sampled, or data.source: chains")
      }
    case nil: break
    }
  }

  /// Parents, and exactly one of a prior and a kernel.
  private mutating func checkKernels() {
    require(Keys.parents)
    guard document.isGiven(Keys.kernel.address()) else {
      require(Keys.concentration)
      return
    }
    if document.isGiven(Keys.concentration.address()) {
      document.reject(
        Keys.kernel.address(), found: "the key beside data.concentration",
        allowed: "one of the two: a kernel, or a prior over kernels",
        advice: "remove one of the two")
    }
  }

  mutating func require<Value>(_ key: Key<Value>, advice: String? = nil) {
    if !document.isGiven(key.address()), !document.isFaulty(key.address()) {
      document.rejectMissing(key, advice: advice)
    }
  }

  private mutating func reject(
    _ addresses: [KeyAddress], onlyWith condition: String, source: String
  ) {
    for address in addresses where document.isGiven(address) {
      document.reject(
        address, found: "the key beside data.source: \(source)", allowed: "only with \(condition)",
        advice: "remove the key, or write \(condition)")
    }
  }

  mutating func checkModel() {
    require(Keys.vocabulary)
    require(Keys.heads)
    require(Keys.window)
    let comparison = document[Keys.comparison]
    if document[Keys.family] != .fullTransformer || comparison == .polynomial {
      require(Keys.degree)
    }
    let heads = document[Keys.heads]
    let upper = document[Keys.upperHeads]
    if let degree = document[Keys.degree], let compared = upper ?? heads, degree > compared {
      let key = upper == nil ? "model.heads" : "model.upper_heads"
      document.reject(
        Keys.degree.address(), found: "\(degree) with \(key) \(compared)",
        allowed: "an integer in 1...\(compared)", advice: "lower the degree or add heads")
    }
    let lags = checkLags(heads)
    checkOwnLags(heads, lags)
  }

  /// The lags of every head; nil where something about them is wrong.
  private mutating func checkLags(_ heads: Int?) -> [[Int]]? {
    let address = Keys.lags.address()
    guard let heads, let window = document[Keys.window], !document.isFaulty(address) else {
      return nil
    }
    guard let lags = document[Keys.lags] else {
      return Array(repeating: Array(1...window), count: heads)
    }
    guard lags.count == heads else {
      document.reject(
        address, found: "\(lags.count) lists for \(heads) heads",
        allowed: "one list of lags for each head", advice: "give \(heads) lists")
      return nil
    }
    var isRight = true
    for (head, list) in lags.enumerated() {
      for (index, lag) in list.enumerated() where lag > window {
        isRight = false
        document.reject(
          address.element(head).element(index), found: "lag \(lag) beyond model.window \(window)",
          allowed: "lags in 1...\(window)", advice: "widen the window or drop the lag")
      }
    }
    return isRight ? lags.map { $0.sorted() } : nil
  }

  private mutating func checkOwnLags(_ heads: Int?, _ lags: [[Int]]?) {
    let address = Keys.ownLags.address()
    guard let heads, let lags, !document.isFaulty(address) else { return }
    guard let own = document[Keys.ownLags] else {
      guard let head = lags.indices.first(where: { $0 >= lags[$0].count }) else { return }
      document.reject(
        address, .missingKey,
        found: "none, and head \(head + 1) of \(heads) has only \(lags[head].count) lags",
        allowed: "one lag for each head out of its lags",
        advice: "add model.own_lags with \(heads) lags, such as "
          + "[\(lags.indices.map { "\(lags[$0][$0 % lags[$0].count])" }.joined(separator: ", "))]")
      return
    }
    guard own.count == heads else {
      document.reject(
        address, found: "\(own.count) lags for \(heads) heads", allowed: "one lag for each head",
        advice: "give \(heads) lags")
      return
    }
    for (head, lag) in own.enumerated() where !lags[head].contains(lag) {
      document.reject(
        address.element(head), found: "lag \(lag), which head \(head + 1) does not see",
        allowed: "one of \(lags[head].shortened)",
        advice: "choose one of them, or add \(lag) to the head's lags or the window")
    }
  }

  /// The longest sequences whose positions may have weights of their own.
  private static let longestWithPositions = 1000

  mutating func checkLength() {
    guard let length = document[Keys.length] else { return }
    if let parents = document[Keys.parents], document[Keys.source] == .chains {
      for (index, lag) in parents.enumerated() where lag > length {
        document.reject(
          Keys.parents.address().element(index), found: "lag \(lag) with data.length \(length)",
          allowed: "lags in 1...\(length)", advice: "drop the lag or lengthen the sequences")
      }
    }
    if document[Keys.positions] == .absolute, length > Self.longestWithPositions {
      document.reject(
        Keys.length.address(), found: "\(length) with model.positions: absolute",
        allowed: "at most \(Self.longestWithPositions), for every position has weights of its own",
        advice: "shorten the sequences, or write model.positions: relative")
    }
    if let window = document[Keys.window], document[Keys.readout] == .fullWindow, length <= window {
      document.reject(
        Keys.length.address(), found: "\(length) with model.window \(window)",
        allowed: "an integer > \(window)",
        advice: "lengthen the sequences, narrow the window or write model.readout: all-positions")
    }
  }

  mutating func checkLoss() {
    if document[Keys.outputs] == .logits, document.isGiven(Keys.floor.address()) {
      document.reject(
        Keys.floor.address(), found: "the key beside loss.outputs: logits",
        allowed: "only with outputs: probabilities",
        advice: "remove it: the logarithm of a softmax needs no floor")
    }
  }

  mutating func checkInitial() {
    guard document.isGiven(Keys.initialFile.address()) else { return }
    let others = [
      Keys.coefficient.address(), Keys.ownWeight.address(), Keys.otherWeight.address(),
      Keys.scale.address(), Keys.values.address(), Keys.projection.address(),
      Keys.valueMap.address(), Keys.networkScale.address(),
    ]
    for address in others where document.isGiven(address) {
      document.reject(
        address, found: "the key beside initial.file",
        allowed: "only noise and seed beside initial.file", advice: "remove one of the two")
    }
  }

  mutating func checkStages() {
    var first: [String: Int] = [:]
    for index in 0..<(document[Keys.stages]?.count ?? 0) {
      if let name = document[Keys.stageName, index] {
        if let earlier = first[name] {
          document.reject(
            Keys.stageName.address(index), .repeatedElement,
            found: "\(name), the name of stages[\(earlier)]", allowed: "a name of its own",
            advice: "rename one of the stages")
        }
        first[name] = first[name] ?? index
      }
      for stop in 0..<(document[Keys.stopWhen, index]?.count ?? 0) {
        let hasAbove = document.isGiven(Keys.above.address(index, stop))
        let hasBelow = document.isGiven(Keys.below.address(index, stop))
        if hasAbove == hasBelow, !document.isFaulty(Keys.stopWhen.address(index).element(stop)) {
          document.reject(
            Keys.stopWhen.address(index).element(stop),
            found: hasAbove ? "both above and below" : "neither above nor below",
            allowed: "exactly one of above and below",
            advice: hasAbove ? "write two conditions" : "add the bound")
        }
      }
    }
  }

  mutating func checkSolver() {
    if document[Keys.method] == .bdf, document[Keys.linearSolver] == .fixedPoint {
      document.reject(
        Keys.linearSolver.address(), found: "fixed-point with solver.method: bdf",
        allowed: "auto | dense | spgmr | pcg with bdf",
        advice: "write solver.method: adams, or another linear solver")
    }
  }

  /// The names in `initial.values` against the model that has been read.
  mutating func checkNames(_ settings: InductionHeadSettings) {
    // Those of a full transformer are known once it stands.
    guard case .values(let values) = settings.initial.start, settings.model.layers == nil else {
      return
    }
    for name in values.exceptions.keys.sorted()
    where !settings.model.hasParameter(named: name) {
      document.reject(
        Keys.values.address().entry(name), .notAllowed, found: "a parameter the model lacks",
        allowed: "c.HEADS such as c.1 or c.1+2 with at most \(settings.model.degree) heads"
          + (settings.model.hasEmptySet ? ", c.0" : "")
          + (settings.model.positions == .relative ? ", w.HEAD.LAG such as w.1.2" : "")
          + ", or a",
        advice: "heads are counted from 1 to \(settings.model.heads), in ascending order")
    }
  }
}

extension [Int] {
  /// The numbers in words, the middle of a long list left out.
  fileprivate var shortened: String {
    count <= 8
      ? map(String.init).joined(separator: ", ")
      : prefix(6).map(String.init).joined(separator: ", ") + ", …, \(self[count - 1])"
  }
}
