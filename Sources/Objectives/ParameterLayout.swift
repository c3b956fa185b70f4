/// How a flat parameter vector θ is divided into named groups of named parameters.
///
/// Parameters are addressed by dotted names such as `c.1+2`, `w.1.3` or `a`; groups are what a
/// training stage switches on and off.
public struct ParameterLayout: Sendable, Equatable {
  /// A contiguous run of parameters that are trained together.
  public struct Group: Sendable, Equatable {
    /// The group's name, for instance `w`.
    public let name: String
    /// Its positions in the flat vector.
    public let range: Range<Int>
  }

  /// The groups, in the order of the flat vector.
  public let groups: [Group]
  /// One name per parameter, in the order of the flat vector.
  public let names: [String]

  /// Lays out the groups one after the other.
  ///
  /// - Parameter groups: each group's name and the names of its parameters; all names are distinct.
  public init(_ groups: [(name: String, parameters: [String])]) {
    var names: [String] = []
    var laidOut: [Group] = []
    for group in groups {
      let start = names.count
      names += group.parameters
      laidOut.append(Group(name: group.name, range: start..<names.count))
    }
    precondition(Set(names).count == names.count, "parameter names must be distinct")
    self.groups = laidOut
    self.names = names
  }

  /// The number of parameters.
  public var count: Int { names.count }

  /// The group of that name, if there is one.
  public func group(named name: String) -> Group? {
    groups.first { $0.name == name }
  }

  /// The positions of all parameters in the named groups, ascending.
  ///
  /// - Parameter names: names of groups of this layout.
  /// - Returns: positions in 0..<`count`; names of no group add none.
  public func indices(ofGroups names: [String]) -> [Int] {
    groups.filter { names.contains($0.name) }.flatMap(\.range)
  }
}
