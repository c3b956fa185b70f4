/// The place of a value in a document's structure: a path with its list positions written out.
public struct KeyAddress: Sendable, Hashable {
  enum Component: Sendable, Hashable {
    case name(String)
    case index(Int)
  }

  let components: [Component]

  init(_ components: [Component] = []) { self.components = components }

  /// The address of the declared path, its `[]` filled in from left to right.
  ///
  /// - Precondition: there are at least as many indices as `[]` in the path.
  init(path: String, indices: [Int]) {
    var rest = indices[...]
    var components: [Component] = []
    for part in path.split(separator: ".") {
      guard part.hasSuffix("[]") else {
        components.append(.name(String(part)))
        continue
      }
      guard let index = rest.popFirst() else { preconditionFailure("\(path) needs an index") }
      components.append(.name(String(part.dropLast(2))))
      components.append(.index(index))
    }
    self.init(components)
  }

  /// The address of a key that lies in no list.
  public init(_ declaration: KeyDeclaration) {
    self.init(path: declaration.path, indices: [])
  }

  /// The address of an element of the list that stands here, counted from 0.
  public func element(_ index: Int) -> KeyAddress { KeyAddress(components + [.index(index)]) }

  /// The address of an entry of the mapping that stands here.
  public func entry(_ name: String) -> KeyAddress { KeyAddress(components + [.name(name)]) }

  var enclosing: KeyAddress? {
    components.isEmpty ? nil : KeyAddress(components.dropLast())
  }
}

extension KeyAddress: CustomStringConvertible {
  /// `stages[0].until`; lists are counted from 0 as in `--set`.
  public var description: String {
    var text = ""
    for component in components {
      switch component {
      case .name(let name): text += text.isEmpty ? name : ".\(name)"
      case .index(let index): text += "[\(index)]"
      }
    }
    return text
  }
}
