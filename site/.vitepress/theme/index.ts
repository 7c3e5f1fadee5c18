// The looks of the site: VitePress's own, with the few lines of site.css.

import DefaultTheme from 'vitepress/theme-without-fonts'
import './site.css'

export default DefaultTheme
