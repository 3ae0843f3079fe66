/** An element, as far as the page looks at one. */
export interface PageElement {
  clientWidth: number
}

/** The part of the browser that the page uses: the DOM's own types would change those of the whole program. */
interface Browser {
  document: {
    title: string
    documentElement: PageElement
    getElementById(id: string): (PageElement & import('preact').ContainerNode) | null
  }
  getComputedStyle(element: PageElement): { getPropertyValue(name: string): string }
  matchMedia(query: string): {
    addEventListener(type: 'change', listener: () => void): void
    removeEventListener(type: 'change', listener: () => void): void
  }
  ResizeObserver: new (onResize: () => void) => { observe(element: PageElement): void; disconnect(): void }
  EventSource: new (
    url: string,
  ) => {
    readonly readyState: number
    addEventListener(type: string, listener: (event: { data: string }) => void): void
    close(): void
  }
}

export const browser = globalThis as unknown as Browser
