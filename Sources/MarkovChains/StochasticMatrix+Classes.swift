/// Which states of a chain lead to which.
public struct CommunicatingClasses: Sendable, Equatable {
  /// A set of states that lead to each other and to no others.
  public struct Recurrent: Sendable, Equatable {
    /// Its states, in increasing order.
    public let states: [Int]
    /// The greatest common divisor of the lengths of its cycles.
    public let period: Int
  }

  /// The recurrent classes, by their smallest state; at least one.
  public let recurrent: [Recurrent]

  /// The states in no recurrent class, in increasing order.
  public let transient: [Int]

  /// The least common multiple of the periods: after that many steps each class is aperiodic.
  public var period: Int {
    recurrent.reduce(1) { $0 / greatestCommonDivisor($0, $1.period) * $1.period }
  }
}

extension StochasticMatrix {
  /// The recurrent classes with their periods, and the transient states.
  ///
  /// Strongly connected components of the graph of positive entries; the closed ones are
  /// recurrent. Cost O(n²).
  ///
  /// Reference: Tarjan, *SIAM Journal on Computing* 1 (1972) 146–160.
  public func communicatingClasses() -> CommunicatingClasses {
    let successors = (0..<size).map { self.successors(of: $0) }
    let component = components(of: successors)
    var members = [[Int]](repeating: [], count: (component.max() ?? 0) + 1)
    for state in 0..<size { members[component[state]].append(state) }
    var recurrent: [CommunicatingClasses.Recurrent] = []
    var transient: [Int] = []
    for (index, states) in members.enumerated() {
      let isClosed = states.allSatisfy { successors[$0].allSatisfy { component[$0] == index } }
      if isClosed {
        recurrent.append(.init(states: states, period: period(of: states, successors)))
      } else {
        transient += states
      }
    }
    recurrent.sort { $0.states[0] < $1.states[0] }
    return CommunicatingClasses(recurrent: recurrent, transient: transient.sorted())
  }

  /// The number of each state's strongly connected component.
  private func components(of successors: [[Int]]) -> [Int] {
    var order = [Int](repeating: -1, count: size)
    var lowest = [Int](repeating: 0, count: size)
    var component = [Int](repeating: -1, count: size)
    var open: [Int] = []
    var visited = 0
    var found = 0
    for root in 0..<size where order[root] < 0 {
      // The call stack of the recursive formulation: a state and its next successor to visit.
      var path: [(state: Int, next: Int)] = [(root, 0)]
      while let (state, next) = path.last {
        if next == 0 && order[state] < 0 {
          order[state] = visited
          lowest[state] = visited
          visited += 1
          open.append(state)
        }
        if next < successors[state].count {
          path[path.count - 1].next += 1
          let successor = successors[state][next]
          if order[successor] < 0 {
            path.append((successor, 0))
          } else if component[successor] < 0 {
            lowest[state] = min(lowest[state], order[successor])
          }
          continue
        }
        path.removeLast()
        if let parent = path.last?.state { lowest[parent] = min(lowest[parent], lowest[state]) }
        if lowest[state] == order[state] {
          while let member = open.popLast() {
            component[member] = found
            if member == state { break }
          }
          found += 1
        }
      }
    }
    return component
  }

  /// The period of a closed class: gcd over its edges i → j of level(i) + 1 − level(j).
  private func period(of states: [Int], _ successors: [[Int]]) -> Int {
    var level = [Int](repeating: -1, count: size)
    level[states[0]] = 0
    var queue = [states[0]]
    var head = 0
    var period = 0
    while head < queue.count {
      let state = queue[head]
      head += 1
      for successor in successors[state] {
        if level[successor] < 0 {
          level[successor] = level[state] + 1
          queue.append(successor)
        } else {
          period = greatestCommonDivisor(period, abs(level[state] + 1 - level[successor]))
        }
      }
    }
    return period
  }
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  var (a, b) = (a, b)
  while b != 0 { (a, b) = (b, a % b) }
  return a
}
