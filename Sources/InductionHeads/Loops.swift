// The loops that everything else is made of. Eight lanes at a time: a sum keeps eight partial sums
// and adds them in a fixed order, so its rounding depends on its length alone.

@inline(__always)
private func load(_ x: UnsafePointer<Double>, _ i: Int) -> SIMD8<Double> {
  UnsafeRawPointer(x + i).loadUnaligned(as: SIMD8<Double>.self)
}

@inline(__always)
private func store(_ value: SIMD8<Double>, _ x: UnsafeMutablePointer<Double>, _ i: Int) {
  UnsafeMutableRawPointer(x + i).storeBytes(of: value, as: SIMD8<Double>.self)
}

/// ⟨x, y⟩ over `count` values.
@inline(__always)
func dot(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int) -> Double {
  var sums = SIMD8<Double>.zero
  var i = 0
  while i &+ 8 <= count {
    sums += load(x, i) * load(y, i)
    i &+= 8
  }
  var sum =
    ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]))
  while i < count {
    sum += x[i] * y[i]
    i &+= 1
  }
  return sum
}

/// y = factor · x.
@inline(__always)
func scale(
  _ factor: Double, _ x: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, _ count: Int
) {
  var i = 0
  while i &+ 8 <= count {
    store(factor * load(x, i), y, i)
    i &+= 8
  }
  while i < count {
    y[i] = factor * x[i]
    i &+= 1
  }
}

/// y += factor · x.
@inline(__always)
func addScaled(
  _ factor: Double, _ x: UnsafePointer<Double>, to y: UnsafeMutablePointer<Double>, _ count: Int
) {
  var i = 0
  while i &+ 8 <= count {
    store(load(y, i) + factor * load(x, i), y, i)
    i &+= 8
  }
  while i < count {
    y[i] += factor * x[i]
    i &+= 1
  }
}

/// z = x ⊙ y.
@inline(__always)
func multiply(
  _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, into z: UnsafeMutablePointer<Double>,
  _ count: Int
) {
  var i = 0
  while i &+ 8 <= count {
    store(load(x, i) * load(y, i), z, i)
    i &+= 8
  }
  while i < count {
    z[i] = x[i] * y[i]
    i &+= 1
  }
}

/// z += x ⊙ y.
@inline(__always)
func addProduct(
  _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, to z: UnsafeMutablePointer<Double>,
  _ count: Int
) {
  var i = 0
  while i &+ 8 <= count {
    store(load(z, i) + load(x, i) * load(y, i), z, i)
    i &+= 8
  }
  while i < count {
    z[i] += x[i] * y[i]
    i &+= 1
  }
}

/// Upper triangle of A += factor · x xᵀ, A of `count` rows and columns.
@inline(__always)
func addOuter(
  _ factor: Double, _ x: UnsafePointer<Double>, to matrix: UnsafeMutablePointer<Double>,
  _ count: Int
) {
  for i in 0..<count {
    let row = matrix + i &* count
    addScaled(factor * x[i], x + i, to: row + i, count &- i)
  }
}
