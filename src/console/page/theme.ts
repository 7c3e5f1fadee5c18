// Dark or light, before anything is painted: a plain script, since modules come too late for that.

import { applyTheme, storedTheme } from './parts/theme-choice.ts'

applyTheme(storedTheme())
