import { render } from 'preact'
import { pathTo } from './core/route.ts'
import { startClock } from './data/clock.ts'
import { guardUnload } from './data/leaving.ts'
import { followLive } from './data/live.ts'
import { followLinks, navigate, path } from './data/location.ts'
import { applyPreferences } from './data/preferences.ts'
import { Shell } from './shell/shell.tsx'

applyPreferences()
followLinks()
followLive()
guardUnload()
startClock()
if (path.value === '') navigate(pathTo('overview'), true)
const root = document.getElementById('app')
if (root !== null) render(<Shell />, root)
