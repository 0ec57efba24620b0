import '../style/base.css';
import './present.css';
import { startPage } from '../parts/hydrate.tsx';
import { presentPage } from './page.tsx';

startPage(presentPage);
