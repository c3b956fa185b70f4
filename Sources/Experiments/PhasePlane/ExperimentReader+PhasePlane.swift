import DeclaredKeys

// The plane for `gradflow phase-plane`: its keys, and what they have to do with each other.

extension ExperimentReader {
  /// The plane that the document describes; nil where it says nothing of one.
  mutating func plane(_ stages: [StageSettings]) throws(DocumentError) -> PlaneSettings? {
    let given = Keys.ofPlane.filter { !$0.path.contains("[]") }
      .contains { document.isGiven(KeyAddress($0)) }
    guard given else { return nil }
    require(Keys.planeX, advice: "name the coordinate of the first axis")
    require(Keys.planeY, advice: "name the coordinate of the second axis")
    if let x = document[Keys.planeX], x == document[Keys.planeY] {
      document.reject(
        Keys.planeY.address(), found: "\(x), the coordinate of plane.x",
        allowed: "another coordinate", advice: "one coordinate spans no plane")
    }
    let x = axis(Keys.planeX, Keys.planeXFrom, Keys.planeXTo)
    let y = axis(Keys.planeY, Keys.planeYFrom, Keys.planeYTo)
    let stage = stage(among: stages)
    try document.finish()
    guard let x, let y, let stage else { return nil }
    var starts: [PlaneSettings.Start] = []
    for index in 0..<(document[Keys.planeStarts]?.count ?? 0) {
      starts.append(
        .init(
          x: try document.required(Keys.planeStartX, index),
          y: try document.required(Keys.planeStartY, index)))
    }
    return PlaneSettings(
      x: x, y: y, grid: try document.required(Keys.planeGrid),
      others: try document.required(Keys.planeOthers), stage: stage.name, starts: starts,
      startGrid: try document.required(Keys.planeStartGrid),
      duration: document[Keys.planeDuration] ?? stage.duration)
  }

  private mutating func axis(
    _ name: Key<String>, _ from: Key<Double>, _ to: Key<Double>
  ) -> PlaneSettings.Axis? {
    guard let coordinate = document[name] else { return nil }
    let isShare = coordinate.hasPrefix("share.")
    if !isShare {
      require(from)
      require(to)
    }
    guard let low = document[from] ?? (isShare ? 0 : nil),
      let high = document[to] ?? (isShare ? 1 : nil)
    else { return nil }
    if low >= high {
      document.reject(
        document.isGiven(to.address()) ? to.address() : from.address(),
        found: "\(low) to \(high)", allowed: "an axis that ends above where it begins",
        advice: "raise \(to.address()), or lower \(from.address())")
    }
    return .init(name: coordinate, from: low, to: high)
  }

  /// The stage that is named, or the first.
  private mutating func stage(among stages: [StageSettings]) -> StageSettings? {
    guard let name = document[Keys.planeStage] else { return stages.first }
    if let stage = stages.first(where: { $0.name == name }) { return stage }
    document.reject(
      Keys.planeStage.address(), .notAllowed, found: name, allowed: "the name of a stage",
      advice: "choose one of \(stages.map(\.name).joined(separator: ", "))")
    return nil
  }
}

extension Experiment {
  func write(_ plane: PlaneSettings, to values: inout KeyValues) {
    typealias Keys = ExperimentKeys
    values[Keys.planeX] = plane.x.name
    values[Keys.planeXFrom] = plane.x.from
    values[Keys.planeXTo] = plane.x.to
    values[Keys.planeY] = plane.y.name
    values[Keys.planeYFrom] = plane.y.from
    values[Keys.planeYTo] = plane.y.to
    values[Keys.planeGrid] = plane.grid
    values[Keys.planeOthers] = plane.others
    values[Keys.planeStage] = plane.stage
    values[Keys.planeDuration] = plane.duration
    values[Keys.planeStartGrid] = plane.startGrid
    if !plane.starts.isEmpty { values[Keys.planeStarts] = KeyList(count: plane.starts.count) }
    for (index, start) in plane.starts.enumerated() {
      values[Keys.planeStartX, index] = start.x
      values[Keys.planeStartY, index] = start.y
    }
  }
}
